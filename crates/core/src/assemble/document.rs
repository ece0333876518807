//! The pages of a document with their rules: the fields of all pages in one list, and the groups that rules connect.

use std::collections::HashSet;

use super::{FieldValue, PageReading, PageRecord};
use crate::form::{Field, FormTemplate, Rule};
use formread_raster::error::PageReject;

/// The pages of a document that were read.
pub(super) struct Document<'a> {
    /// The fields of all pages, page after page.
    pub fields: Vec<DocumentField<'a>>,
    pub templates: &'a [FormTemplate],
    /// The forms that are pages of a document of which some page is present.
    pub pages: HashSet<&'a str>,
    pub sheets: Vec<Sheet<'a>>,
    /// The form of each page that was not read; `None` where it is unknown.
    pub unread: Vec<Option<&'a str>>,
}

/// A field on its page.
pub(super) struct DocumentField<'a> {
    pub template: &'a FormTemplate,
    pub field: &'a Field,
    pub value: &'a mut FieldValue,
}

/// A page that was read.
pub(super) struct Sheet<'a> {
    pub template: &'a FormTemplate,
    /// Index of its first field among the document's, and how many it has.
    pub first: usize,
    pub n_fields: usize,
}

/// A rule of one page, with fields of the document.
pub(super) struct DocumentRule {
    pub rule: Rule,
    /// Whether it names other forms, too.
    pub spans_pages: bool,
}

/// Fields that rules connect, and these rules.
#[derive(Default)]
pub(super) struct Group<'a> {
    /// In the order in which the rules name them.
    pub fields: Vec<usize>,
    /// In the order of pages, and of the template.
    pub rules: Vec<&'a DocumentRule>,
}

impl<'a> Document<'a> {
    /// The pages of a document, each field as it reads by itself. A page of a form that is not among `templates` is not
    /// looked at.
    pub fn new(templates: &'a [FormTemplate], pages: &'a mut [PageRecord]) -> Self {
        let (fields, sheets, unread) = (Vec::new(), Vec::new(), Vec::new());
        let mut document = Self { fields, templates, pages: HashSet::new(), sheets, unread };
        for page in pages {
            match &mut page.reading {
                PageReading::Read { form, fields, .. } => {
                    let Some(template) = templates.iter().find(|template| template.name == *form) else { continue };
                    let first = document.fields.len();
                    let of_page = template.fields.iter().zip(fields);
                    document.fields.extend(of_page.map(|(field, value)| DocumentField { template, field, value }));
                    document.sheets.push(Sheet { template, first, n_fields: document.fields.len() - first });
                }
                PageReading::Rejected { reason: PageReject::BlankPage, .. } => {}
                PageReading::Rejected { form, .. } => document.unread.push(form.as_deref()),
            }
        }
        document.fields.iter_mut().for_each(|field| field.value.forget_rules());
        document.pages = document.pages_of_documents();
        document
    }

    fn pages_of_documents(&self) -> HashSet<&'a str> {
        let declared = || self.templates.iter().filter_map(|form| Some((form.name.as_str(), form.document.as_ref()?)));
        if declared().next().is_none() {
            return HashSet::new();
        }
        let read = self.sheets.iter().map(|sheet| sheet.template.name.as_str());
        let forms: HashSet<&str> = read.chain(self.unread.iter().flatten().copied()).collect();
        let here: HashSet<&str> =
            declared().filter(|(form, _)| forms.contains(form)).map(|(_, page)| page.name.as_str()).collect();
        declared().filter(|(_, page)| here.contains(page.name.as_str())).map(|(form, _)| form).collect()
    }
}

/// `fields` in groups that `rules`, which name no others, connect. A field that no rule names is a group of its own.
pub(super) fn groups<'a>(fields: &[usize], rules: impl Iterator<Item = &'a DocumentRule>) -> Vec<Group<'a>> {
    let rules: Vec<(&DocumentRule, Vec<usize>)> = rules.map(|rule| (rule, rule.rule.fields())).collect();
    let mut groups: Vec<Group<'_>> = Vec::new();
    // by field; a group that became part of a later one is left empty
    let mut group_of: Vec<Option<usize>> = vec![None; fields.iter().max().map_or(0, |last| last + 1)];
    for (_, named) in &rules {
        let mut tied: Vec<usize> = named.iter().filter_map(|&field| group_of[field]).collect();
        tied.sort_unstable();
        tied.dedup();
        let mut joined: Vec<usize> =
            tied.into_iter().flat_map(|tied| std::mem::take(&mut groups[tied].fields)).collect();
        joined.extend(named.iter().filter(|&&field| group_of[field].is_none()));
        joined.iter().for_each(|&field| group_of[field] = Some(groups.len()));
        groups.push(Group { fields: joined, rules: Vec::new() });
    }
    for (rule, named) in &rules {
        if let Some(group) = named.first().and_then(|&field| group_of[field]) {
            groups[group].rules.push(rule);
        }
    }
    groups.retain(|group| !group.fields.is_empty());
    let alone = fields.iter().filter(|&&field| group_of[field].is_none());
    groups.extend(alone.map(|&field| Group { fields: vec![field], rules: Vec::new() }));
    groups
}

impl FieldValue {
    /// As it reads by itself.
    fn forget_rules(&mut self) {
        self.state.clone_from(&self.unconstrained.state);
        self.guess.clone_from(&self.unconstrained.guess);
        self.confidence = self.unconstrained.confidence;
        self.correction = None;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::assemble::RuleParams;
    use crate::assemble::reconcile::tests::{Readings, value};
    use crate::{
        assemble::{AcceptTable, FieldState, ReviewReason, RuleCorrection, reconcile},
        form::parse_template,
    };

    pub const ACROSS: &str = "sum = a + sheet.total";

    /// A cover, whose `sum` is `a` plus the totals of all sheets; a sheet's `total` is `x` plus `y`.
    pub fn forms() -> Vec<FormTemplate> {
        let form = |name: &str, rule: &str, fields: &[&str]| {
            let head = format!("name = \"{name}\"\ntitle = \"t\"\npage = [100, 100]\nrules = [\"{rule}\"]\n");
            let field = |(i, name): (usize, &&str)| {
                format!("[[field]]\nname = \"{name}\"\nkind = \"integer\"\nbox = [10, {}, 50, 8]\n", 10 * i + 10)
            };
            parse_template(&(head + &fields.iter().enumerate().map(field).collect::<String>()))
                .expect("it is well formed")
        };
        vec![form("cover", ACROSS, &["a", "sum"]), form("sheet", "total = x + y", &["x", "y", "total"])]
    }

    pub fn page(form: &str, fields: &[(&str, Readings<'_>)]) -> PageReading {
        let fields = fields.iter().map(|(name, readings)| value(name, readings)).collect();
        PageReading::Read { form: form.to_owned(), fields, residual_px: 0.0, has_writing_outside: false }
    }

    pub fn cover(a: Readings<'_>, sum: Readings<'_>) -> PageReading {
        page("cover", &[("a", a), ("sum", sum)])
    }

    pub fn sheet(x: Readings<'_>, y: Readings<'_>, total: Readings<'_>) -> PageReading {
        page("sheet", &[("x", x), ("y", y), ("total", total)])
    }

    pub fn unread(form: Option<&str>, reason: PageReject) -> PageReading {
        PageReading::Rejected { form: form.map(str::to_owned), reason, detail: String::new() }
    }

    pub fn document(pages: impl IntoIterator<Item = PageReading>) -> Vec<PageRecord> {
        (1..).zip(pages).map(|(page, reading)| PageRecord { page, reading }).collect()
    }

    /// Each page by itself, as it comes from the reader, then all together.
    fn reconciled(pages: impl IntoIterator<Item = PageReading>) -> Vec<PageRecord> {
        let (forms, accept, mut pages) = (forms(), AcceptTable::default(), document(pages));
        pages
            .iter_mut()
            .for_each(|page| reconcile(&forms, std::slice::from_mut(page), &accept, &RuleParams::default()));
        reconcile(&forms, &mut pages, &accept, &RuleParams::default());
        pages
    }

    pub fn fields(page: &PageRecord) -> &[FieldValue] {
        match &page.reading {
            PageReading::Read { fields, .. } => fields,
            PageReading::Rejected { .. } => &[],
        }
    }

    /// Readings and states of a page's fields; of all pages, one after the other.
    pub fn said(pages: &[PageRecord]) -> Vec<(&str, &FieldState)> {
        pages.iter().flat_map(fields).map(|value| (value.guess.as_str(), &value.state)).collect()
    }

    pub fn failed(rule: &str) -> FieldState {
        FieldState::Review(ReviewReason::FailedCheck(rule.to_owned()))
    }

    pub const DOUBTFUL: Readings<'_> = &[("17", 0.55), ("11", 0.44)];
    pub const NOT_SURE: FieldState = FieldState::Review(ReviewReason::LowConfidence);

    #[test]
    fn a_doubtful_digit_gives_way_to_the_one_that_another_page_wants() {
        // 10 + 7 = 17, 4 + 7 = 11: by itself the sheet is as likely to contain 17 as 11
        let x: Readings<'_> = &[("4", 0.6), ("10", 0.39)];
        let open = sheet(x, &[("7", 0.999)], DOUBTFUL);
        assert!(said(&reconciled([open.clone()])).iter().filter(|(_, state)| **state == NOT_SURE).count() == 2);
        let pages = reconciled([open, cover(&[("5", 0.999)], &[("16", 0.999)])]);
        let accepted = &FieldState::Accepted;
        let want = ["4", "7", "11", "5", "16"].map(|guess| (guess, accepted));
        assert_eq!(said(&pages), want);
        let total = &fields(&pages[0])[2];
        assert_eq!(total.correction, Some(RuleCorrection { from: "17".to_owned(), by: "total = x + y".to_owned() }));
        assert!(total.confidence > 0.99);

        let pages = reconciled([cover(DOUBTFUL, &[("16", 0.999)]), sheet(&[("5", 0.999)], &[], &[("5", 0.999)])]);
        let a = &fields(&pages[0])[0];
        assert_eq!((a.guess.as_str(), &a.state), ("11", &FieldState::Accepted));
        assert_eq!(a.correction, Some(RuleCorrection { from: "17".to_owned(), by: ACROSS.to_owned() }));
    }

    #[test]
    fn a_sum_that_is_wrong_across_pages_is_wrong_on_all_of_them() {
        let sure = |text| [(text, 0.9995)];
        let pages = reconciled([cover(&sure("5"), &sure("99")), sheet(&sure("4"), &sure("7"), &sure("11"))]);
        let (failed, accepted) = (failed(ACROSS), FieldState::Accepted);
        let want = [("5", &failed), ("99", &failed), ("4", &accepted), ("7", &accepted), ("11", &failed)];
        assert_eq!(said(&pages), want);
    }

    #[test]
    fn it_is_the_sum_over_all_pages_with_that_form() {
        let sure = |text| [(text, 0.9995)];
        let sheets = || [("4", "7", "11"), ("30", "1", "31"), ("0", "8", "8")];
        let sheets = || sheets().into_iter().map(|(x, y, total)| sheet(&sure(x), &sure(y), &sure(total)));
        let sums = |sum: Readings<'_>| reconciled(sheets().chain([cover(&sure("5"), sum)]));
        let pages = sums(&[("53", 0.6), ("55", 0.39)]);
        assert!(said(&pages).iter().all(|(_, state)| **state == FieldState::Accepted), "{:?}", said(&pages));
        assert_eq!(fields(&pages[3])[1].guess, "55");
        let n_failed = said(&sums(&sure("16"))).iter().filter(|(_, state)| **state == failed(ACROSS)).count();
        assert_eq!(n_failed, 5, "three totals, a and sum: the first sheet alone does not count");
    }

    #[test]
    fn where_a_page_lacks_the_rule_says_nothing() {
        let sure = |text| [(text, 0.9995)];
        let wrong = || cover(&sure("5"), &sure("99"));
        let some_sheet = || sheet(&sure("4"), &sure("7"), &sure("11"));
        let states = |pages: Vec<PageReading>| -> Vec<FieldState> {
            let pages = reconciled(pages);
            said(&pages).into_iter().map(|(_, state)| state.clone()).collect()
        };
        for silent in [
            vec![wrong()],
            vec![some_sheet()],
            vec![wrong(), some_sheet(), unread(None, PageReject::UnknownForm)],
            vec![wrong(), some_sheet(), unread(None, PageReject::Unreadable)],
            vec![wrong(), unread(Some("sheet"), PageReject::PoorRegistration), some_sheet()],
            vec![some_sheet(), unread(Some("cover"), PageReject::PoorRegistration)],
        ] {
            assert!(states(silent.clone()).iter().all(|state| *state == FieldState::Accepted), "{silent:?}");
        }
        for heard in [
            vec![wrong(), some_sheet(), unread(None, PageReject::BlankPage)],
            vec![wrong(), some_sheet(), unread(Some("cover"), PageReject::PoorRegistration)],
        ] {
            assert_eq!(states(heard)[..2], [failed(ACROSS), failed(ACROSS)]);
        }
    }

    #[test]
    fn pages_that_no_rule_ties_read_as_they_do_alone_and_asking_twice_changes_nothing() {
        let forms = forms();
        let some_sheet = |x, total| sheet(&[(x, 0.7), ("9", 0.2)], &[("7", 0.999)], &[(total, 0.98), ("16", 0.01)]);
        let mut pages = document([some_sheet("2", "9"), some_sheet("4", "16"), some_sheet("3", "50")]);
        reconcile(&forms, &mut pages, &AcceptTable::default(), &RuleParams::default());
        let mut alone = pages.clone();
        alone.iter_mut().for_each(|page| {
            reconcile(&forms, std::slice::from_mut(page), &AcceptTable::default(), &RuleParams::default())
        });
        assert_eq!(alone, pages);
        assert_eq!((fields(&pages[1])[0].guess.as_str(), fields(&pages[0])[0].confidence > 0.99), ("9", true));
    }

    /// A cover with the sum of 2,000 sheets, each with a doubtful digit that its own rule decides.
    #[test]
    fn beyond_the_bound_each_page_has_its_own_rules_and_those_across_only_check() {
        const N: usize = 2_000;
        let sheets = || (0..N).map(|_| sheet(&[("1", 0.5), ("7", 0.45)], &[("2", 0.999)], &[("9", 0.999)]));
        for (sum, is_right) in [(9 * N, true), (9 * N + 1, false)] {
            let sum = sum.to_string();
            let sum: Readings<'_> = &[(&sum, 0.97), ("0", 0.02)];
            let pages = reconciled([cover(&[], sum)].into_iter().chain(sheets()));
            let state = if is_right { FieldState::Accepted } else { failed(ACROSS) };
            let of_cover = &fields(&pages[0])[1];
            assert_eq!((&of_cover.state, of_cover.confidence), (&state, 0.97), "no surer");
            for page in &pages[1..] {
                let [x, _, total] = fields(page) else { panic!("it has three fields") };
                assert_eq!((x.guess.as_str(), x.confidence > 0.99, &total.state), ("7", true, &state));
            }
        }
    }
}
