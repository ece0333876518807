//! Families of templates: those that differ little are searched for together, by the first one's lines alone.

use std::{borrow::Cow, sync::OnceLock};

use super::{
    discriminate::Distinct,
    params::{DiscriminateParams, FamilyParams, RegisterParams},
    search::LineModel,
};
use crate::form::{FormTemplate, PageLayout};
use formread_raster::geometry::Projection;

/// Largest family whose members' differences are kept.
const MAX_KEPT: usize = 64;

/// A family.
#[derive(Clone, Copy)]
pub(super) struct Family<'a> {
    /// Indices of its templates.
    pub members: &'a [usize],
    /// The lines of the first one.
    pub model: &'a LineModel,
}

/// What registration prepares of all templates before the first page.
#[derive(Debug, Clone, Default)]
pub struct Families {
    /// One a printed template; `None` of one that takes the whole image.
    models: Vec<Option<LineModel>>,
    /// Each template is in one.
    families: Vec<Members>,
    /// How members of a family are discriminated.
    discriminate: DiscriminateParams,
}

/// The members of a family.
#[derive(Debug, Clone, Default)]
struct Members {
    /// Indices of templates; the first member is a sibling of each other one.
    idxs: Vec<usize>,
    /// What each has (row) and each other one has not (column), found when it is first asked for: it is the same on every page,
    /// since one map lays all members. Empty for a large family.
    distinct: Vec<OnceLock<Distinct>>,
}

impl Members {
    fn new(idxs: Vec<usize>) -> Self {
        let n_kept = if idxs.len() <= MAX_KEPT { idxs.len() * idxs.len() } else { 0 };
        Self { idxs, distinct: vec![OnceLock::new(); n_kept] }
    }

    /// The place of what `own` has and `other` has not.
    fn kept(&self, own: usize, other: usize) -> Option<&OnceLock<Distinct>> {
        let place = |idx: usize| self.idxs.iter().position(|member| *member == idx);
        self.distinct.get(place(own)? * self.idxs.len() + place(other)?)
    }
}

impl Families {
    /// Sorts `templates` into families. It takes a few hundredths of a second for each hundred of them and each family.
    pub fn new(templates: &[FormTemplate], params: &RegisterParams) -> Self {
        let model = |template: &FormTemplate| match &template.layout {
            PageLayout::Printed(landmarks) => Some(LineModel::new(template, landmarks, &params.search)),
            PageLayout::WholeImage => None,
        };
        let models: Vec<Option<LineModel>> = templates.iter().map(model).collect();
        let mut families: Vec<Vec<usize>> = Vec::new();
        for (idx, own) in models.iter().enumerate() {
            let Some(own) = own else { continue };
            let is_sibling = |other: usize| {
                let model = models[other].as_ref();
                model.is_some_and(|model| {
                    are_siblings((&templates[idx], own), (&templates[other], model), &params.families)
                })
            };
            match families.iter_mut().find(|family| is_sibling(family[0])) {
                Some(family) => family.push(idx),
                None => families.push(vec![idx]),
            }
        }
        let families = families.into_iter().map(Members::new).collect();
        Self { models, families, discriminate: params.discriminate }
    }

    /// The family of the template `idx`, with itself; empty for one that takes the whole image.
    pub fn siblings(&self, idx: usize) -> &[usize] {
        self.family_of(idx).map_or(&[], |family| &family.idxs)
    }

    /// Each family.
    pub(super) fn each(&self) -> impl Iterator<Item = Family<'_>> {
        self.families
            .iter()
            .filter_map(|Members { idxs, .. }| Some(Family { members: idxs, model: self.models[idxs[0]].as_ref()? }))
    }

    /// The lines of the template `idx`; `None` of one that takes the whole image.
    pub(super) fn model(&self, idx: usize) -> Option<&LineModel> {
        self.models[idx].as_ref()
    }

    /// What the template `own` has and the template `other` has not, where `other_from_own` lays the one on the other.
    pub(super) fn distinct(&self, own: usize, other: usize, other_from_own: &Projection) -> Distinct {
        let (Some(own), Some(other)) = (self.model(own), self.model(other)) else { return Distinct::default() };
        Distinct::of(own, other, other_from_own, &self.discriminate)
    }

    /// The same of two members of a family, both laid by one map.
    pub(super) fn distinct_member(&self, own: usize, other: usize) -> Cow<'_, Distinct> {
        let find = || self.distinct(own, other, &Projection::IDENTITY);
        match self.family_of(own).and_then(|family| family.kept(own, other)) {
            Some(kept) => Cow::Borrowed(kept.get_or_init(find)),
            None => Cow::Owned(find()),
        }
    }

    fn family_of(&self, idx: usize) -> Option<&Members> {
        self.families.iter().find(|family| family.idxs.contains(&idx))
    }
}

fn are_siblings(
    (a, a_model): (&FormTemplate, &LineModel),
    (b, b_model): (&FormTemplate, &LineModel),
    params: &FamilyParams,
) -> bool {
    let &FamilyParams { min_shared_lines, shared_mm, max_page_difference } = params;
    let (a_page, b_page) = (a_model.page, b_model.page);
    let is_similar = |a: f64, b: f64| (a - b).abs() <= max_page_difference * a.max(b);
    is_similar(a_page.width(), b_page.width())
        && is_similar(a_page.height(), b_page.height())
        && a.line_overlap(&b_model.lines, &Projection::IDENTITY, shared_mm) >= min_shared_lines
        && b.line_overlap(&a_model.lines, &Projection::IDENTITY, shared_mm) >= min_shared_lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::{known_templates, parse_template};

    #[test]
    fn known_forms_are_families_of_their_own_and_a_form_with_one_more_field_joins() {
        let known = known_templates().expect("they parse");
        let printed = known.iter().filter(|template| template.layout != PageLayout::WholeImage).count();
        let arranged = Families::new(&known, &RegisterParams::default());
        assert_eq!(arranged.families.len(), printed);
        assert!(arranged.families.iter().all(|family| family.idxs.len() == 1), "{:?}", arranged.families);

        let form = |name: &str, more: &str| {
            let head = "title = \"t\"\npage = [210, 297]\nframes = [[15, 15, 180, 260]]\nlines = [[15, 40, 195, 40]]\n";
            let field = "[[field]]\nname = \"a\"\nkind = \"integer\"\nbox = [80, 140, 50, 10]\n";
            parse_template(&format!("name = \"{name}\"\n{head}{field}{more}")).expect("it is well formed")
        };
        let more = "[[field]]\nname = \"b\"\nkind = \"integer\"\nbox = [80, 160, 50, 10]\n";
        let all: Vec<FormTemplate> = known.into_iter().chain([form("x", ""), form("y", more)]).collect();
        let arranged = Families::new(&all, &RegisterParams::default());
        let [x, y] = [all.len() - 2, all.len() - 1];
        assert_eq!(arranged.families.last().map(|family| &family.idxs[..]), Some(&[x, y][..]));
        assert_eq!(
            (arranged.siblings(x), arranged.siblings(y), arranged.siblings(all.len())),
            (&[x, y][..], &[x, y][..], &[][..])
        );
    }

    #[test]
    fn families_of_pages_of_another_size_are_not_one() {
        let form = |name: &str, height: u32| {
            let text = format!(
                "name = \"{name}\"\ntitle = \"t\"\npage = [100, {height}]\nlines = [[8, 20, 92, 20], [30, 6, 30, 17]]\n\
                 [[field]]\nname = \"a\"\nkind = \"integer\"\nbox = [30, 34, 50, 9]\n"
            );
            parse_template(&text).expect("it is well formed")
        };
        let forms = [form("x", 140), form("y", 141), form("z", 150)];
        let families = Families::new(&forms, &RegisterParams::default());
        let members: Vec<&[usize]> = families.each().map(|family| family.members).collect();
        assert_eq!(members, [&[0, 1][..], &[2][..]]);
    }

    #[test]
    fn what_members_differ_in_is_found_once_and_the_same_in_a_large_family() {
        let form = |i: usize| {
            let more = format!("lines = [[20, {0}, 90, {0}]]", 60 + i % 60);
            let head =
                "title = \"t\"\npage = [100, 140]\nframes = [[8, 20, 84, 100], [20, 30, 60, 8], [20, 44, 60, 8]]\n";
            let field = "[[field]]\nname = \"a\"\nkind = \"integer\"\nbox = [30, 34, 50, 9]\n";
            parse_template(&format!("name = \"f{i}\"\n{head}{more}\n{field}")).expect("it is well formed")
        };
        let of = |n: usize| Families::new(&(0..n).map(form).collect::<Vec<_>>(), &RegisterParams::default());
        let [small, large] = [of(3), of(MAX_KEPT + 1)];
        assert_eq!([small.siblings(0).len(), large.siblings(0).len()], [3, MAX_KEPT + 1]);
        let kept = small.distinct_member(0, 2);
        assert!(matches!(kept, Cow::Borrowed(_)) && matches!(large.distinct_member(0, 2), Cow::Owned(_)));
        assert_eq!(format!("{kept:?}"), format!("{:?}", large.distinct_member(0, 2)));
        assert_ne!(
            format!("{kept:?}"),
            format!("{:?}", small.distinct_member(2, 0)),
            "each has a line that the other has not"
        );
    }

    #[test]
    fn families_leave_out_templates_of_the_whole_image() {
        let text = "name = \"s\"\ntitle = \"t\"\nwhole_image = true\n[[field]]\nname = \"a\"\nkind = \"integer\"\n";
        let families = Families::new(&[parse_template(text).expect("it is well formed")], &RegisterParams::default());
        assert_eq!(families.each().count(), 0);
        assert!(families.siblings(0).is_empty() && families.model(0).is_none());
        assert_eq!(Families::new(&[], &RegisterParams::default()).each().count(), 0);
    }
}
