//! How far a review is, and what it cannot settle.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use crate::{
    audit::{Audit, SecondLooks},
    digit_groups::GroupCounts,
    pages::PageToSee,
};

/// Most pages that the text names. JSON has them all.
const MAX_LISTED: usize = 20;

/// How far a review is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Status {
    /// Fields of the run that awaited a person.
    pub fields_for_review: u64,
    /// Fields that people have settled.
    pub settled: u64,
    /// Of these, those that one person and the machine settled.
    pub settled_by_one: u64,
    /// Fields that the rules settled after the answers of people.
    pub freed_by_rules: u64,
    /// Fields that nobody has read.
    pub unread: u64,
    /// Fields that await another person.
    pub contested: u64,
    /// Fields on which no two people agree.
    pub undecided: u64,
    /// Answers of people.
    pub answers: u64,
    /// What the audit found.
    pub audit: Audit,
    /// What the second looks found.
    pub second_looks: SecondLooks,
    /// How the groups of like digits went.
    pub groups: GroupCounts,
    /// Pages with more than fields to key, in the order of the run. Copies are left out.
    pub pages_to_see: Vec<PageToSee>,
}

/// For people.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, n) in [
            ("fields for review", self.fields_for_review),
            ("answers", self.answers),
            ("settled by people", self.settled),
            ("  of these by one, and the machine agrees", self.settled_by_one),
            ("freed by rules after answers", self.freed_by_rules),
            ("read by nobody", self.unread),
            ("await another person", self.contested),
            ("no two people agree", self.undecided),
        ] {
            writeln!(f, "{name:44}{n:>8}")?;
        }
        let SecondLooks { read, differ } = self.second_looks;
        if read > 0 {
            writeln!(f, "read by two in any case: {read}; not settled as the first one read: {differ}")?;
        }
        let GroupCounts { read, void, digits, struck, strangers, missed, settled } = self.groups;
        if read > 0 {
            writeln!(
                f,
                "groups: {read}, {void} of them void; {struck} of {digits} digits struck; {settled} fields settled by them"
            )?;
            writeln!(f, "odd digits that people overlooked in groups: {missed} of {strangers} that were known")?;
        }
        let Audit { drawn, read, wrong, error, error_at_most } = self.audit;
        if drawn > 0 {
            writeln!(f, "audit: {read} of {drawn} accepted fields are read, {wrong} wrong")?;
        }
        if let Some(error) = error {
            let (percent, at_most) = (100.0 * error, 100.0 * error_at_most);
            writeln!(f, "errors of the accepted fields: {percent:.2} %; in 95 of 100 audits at most {at_most:.2} %")?;
        }
        if drawn > read && read > 0 {
            writeln!(f, "the bound counts the {} fields that nobody has read as wrong", drawn - read)?;
        }
        let pages = &self.pages_to_see;
        if pages.is_empty() {
            return Ok(());
        }
        let open = pages.iter().filter(|page| page.decided.is_none()).count();
        writeln!(f, "pages with more than fields to key: {}; nobody has decided {open}", pages.len())?;
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for page in pages {
            *counts.entry(&page.reason).or_default() += 1;
        }
        for (reason, n) in counts {
            writeln!(f, "  {reason:42}{n:>8}")?;
        }
        for PageToSee { scan, page, reason, decided, .. } in pages.iter().take(MAX_LISTED) {
            let decided = decided.as_ref().map(|decided| format!(": {} ({})", decided.decision.word(), decided.who));
            writeln!(f, "  {scan} page {page}: {reason}{}", decided.unwrap_or_default())?;
        }
        match pages.len().checked_sub(MAX_LISTED) {
            None | Some(0) => Ok(()),
            Some(n_more) => writeln!(f, "  and {n_more} more: --json names them all"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use formread_core::rows::{PageRows, Verdict};

    fn page(number: u32, verdict: Verdict, attention: &str) -> PageRows {
        PageRows {
            scan: "a.tif".to_owned(),
            page: number,
            form: String::new(),
            verdict,
            attention: attention.to_owned(),
            fields: Vec::new(),
            readings: Vec::new(),
        }
    }

    #[test]
    fn rejected_pages_and_writing_outside_are_listed() {
        let pages = [
            page(1, Verdict::Accepted, ""),
            page(2, Verdict::Rejected, "unknown-form"),
            page(3, Verdict::Review, "total"),
            page(4, Verdict::Review, "total;writing-outside"),
        ];
        let pages_to_see: Vec<_> = pages.iter().filter_map(|page| PageToSee::of(page, (0, page.page - 1))).collect();
        let text = Status { pages_to_see, ..Status::default() }.to_string();
        assert!(text.contains("more than fields to key: 2; nobody has decided 2"), "{text}");
        assert!(text.ends_with("  a.tif page 2: unknown-form\n  a.tif page 4: writing-outside\n"), "{text}");
        let many = (1..=25)
            .filter_map(|number| PageToSee::of(&page(number, Verdict::Rejected, "unreadable"), (0, number - 1)));
        let text = Status { pages_to_see: many.collect(), ..Status::default() }.to_string();
        assert!(
            text.contains("page 20:")
                && !text.contains("page 21:")
                && text.ends_with("5 more: --json names them all\n"),
            "{text}"
        );
    }
}
