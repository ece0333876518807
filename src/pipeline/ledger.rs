//! The ledger of a run: every page of every file is in the table exactly once, with its verdict.

use std::collections::BTreeMap;

use super::Summary;
use formread_core::rows::Verdict;
use formread_raster::error::{Error, Result};
use formread_sinks::StoredPage;

/// Compares a table that was read back with the `files` of the run, by name and number of pages, and with the counts in
/// `summary`. Needs no memory that grows with either. `visit` gets each page of the table with its number in the file.
///
/// # Errors
/// `Internal` where the two differ; whatever `table` or `visit` fails with.
pub fn check_balance<'a>(
    files: impl Iterator<Item = (&'a str, u32)>,
    table: impl Iterator<Item = Result<StoredPage>>,
    summary: &Summary,
    mut visit: impl FnMut(u32, StoredPage) -> Result<()>,
) -> Result<()> {
    let mut pages = files.flat_map(|(scan, n_pages)| (1..=n_pages).map(move |page| (scan, page)));
    let mut table = table.fuse();
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    loop {
        match (pages.next(), table.next().transpose()?) {
            (None, None) => break,
            (Some((scan, page)), Some(row)) if row.scan == scan && row.page == page.to_string() => {
                *counted.entry(row.verdict.clone()).or_default() += 1;
                visit(page, row)?;
            }
            (page, row) => {
                let page = page.map_or("nothing".to_owned(), |(scan, page)| format!("page {page} of {scan}"));
                let row = row.map_or("nothing".to_owned(), |row| format!("page {} of {}", row.page, row.scan));
                return Err(unbalanced(format!("found {row}, expected {page}")));
            }
        }
    }
    let Summary { n_pages, n_accepted, n_review, .. } = *summary;
    let verdicts =
        [(Verdict::Accepted, n_accepted), (Verdict::Review, n_review), (Verdict::Rejected, summary.n_rejected())];
    for (verdict, n) in verdicts {
        let n_rows = counted.remove(verdict.as_str()).unwrap_or(0);
        if n_rows != n {
            return Err(unbalanced(format!("{n_rows} pages are {} in the table, {n} were counted", verdict.as_str())));
        }
    }
    let n_verdicts = n_accepted + n_review + summary.n_rejected();
    if !counted.is_empty() || n_verdicts != n_pages {
        return Err(unbalanced(format!("{n_pages} pages went in, {n_verdicts} came out")));
    }
    Ok(())
}

fn unbalanced(detail: String) -> Error {
    Error::internal(format!("the ledger does not balance: {detail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [(&str, u32); 3] = [("a", 2), ("b", 1), ("c", 1)];
    const TABLE: [(&str, &str, &str); 4] =
        [("a", "1", "accepted"), ("a", "2", "review"), ("b", "1", "rejected"), ("c", "1", "accepted")];

    fn check(files: &[(&str, u32)], table: &[(&str, &str, &str)], n_pages: u64) -> Result<()> {
        let stored = |&(scan, page, verdict): &(&str, &str, &str)| {
            let [scan, page, verdict] = [scan, page, verdict].map(str::to_owned);
            Ok(StoredPage { scan, page, form: String::new(), verdict, attention: String::new() })
        };
        let rejected = [("unreadable".to_owned(), 1)].into();
        let summary = Summary { n_pages, n_accepted: 2, n_review: 1, rejected, ..Summary::default() };
        let mut seen = Vec::new();
        let visit = |number: u32, page: StoredPage| {
            seen.push((page.scan, number));
            Ok(())
        };
        check_balance(files.iter().copied(), table.iter().map(stored), &summary, visit)?;
        let want = files.iter().flat_map(|&(scan, n)| (1..=n).map(move |page| (scan.to_owned(), page)));
        assert_eq!(seen, want.collect::<Vec<_>>(), "each page is seen once");
        Ok(())
    }

    #[test]
    fn table_with_each_page_once_balances() {
        check(&FILES, &TABLE, 4).expect("it balances");
    }

    #[test]
    fn lost_doubled_and_misnamed_pages_are_errors() {
        let changed = |at: usize, row| {
            let mut table = TABLE;
            table[at] = row;
            table
        };
        let tables = [
            (TABLE[..3].to_vec(), "found nothing, expected page 1 of c"),
            ([&TABLE[..], &TABLE[3..]].concat(), "found page 1 of c, expected nothing"),
            (changed(1, TABLE[0]).to_vec(), "found page 1 of a, expected page 2 of a"),
            (changed(2, ("x", "1", "rejected")).to_vec(), "found page 1 of x, expected page 1 of b"),
            (changed(2, ("b", "1", "review")).to_vec(), "2 pages are review in the table, 1 were counted"),
            (changed(0, ("a", "1", "")).to_vec(), "1 pages are accepted in the table, 2 were counted"),
        ];
        for (table, message) in tables {
            let error = check(&FILES, &table, 4).expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
        }
        let error = check(&FILES, &TABLE, 5).expect_err("one is missing").to_string();
        assert!(error.contains("5 pages went in, 4 came out"), "{error}");
    }
}
