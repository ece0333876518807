//! Families of templates: those that differ little are searched for together, by the first one's lines alone.

use super::{
    discriminate::PlacedTemplate,
    params::{FamilyParams, RegisterParams},
    search::LineModel,
};
use crate::form::{FormTemplate, PageLayout};
use formread_raster::geometry::Projection;

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
    /// Indices of templates, each in one family; the first member is a sibling of each other one.
    families: Vec<Vec<usize>>,
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
        Self { models, families }
    }

    /// The family of the template `idx`, with itself; empty for one that takes the whole image.
    pub fn siblings(&self, idx: usize) -> &[usize] {
        self.families.iter().find(|family| family.contains(&idx)).map_or(&[], Vec::as_slice)
    }

    /// Each family.
    pub(super) fn each(&self) -> impl Iterator<Item = Family<'_>> {
        self.families.iter().filter_map(|members| Some(Family { members, model: self.models[members[0]].as_ref()? }))
    }

    /// The lines of the template `idx`; `None` of one that takes the whole image.
    pub(super) fn model(&self, idx: usize) -> Option<&LineModel> {
        self.models[idx].as_ref()
    }

    /// The template `idx`, laid on a page by `map`.
    pub(super) fn placed<'a>(&'a self, idx: usize, map: &'a Projection) -> Option<PlacedTemplate<'a>> {
        Some(PlacedTemplate { model: self.models[idx].as_ref()?, map })
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
        assert!(arranged.families.iter().all(|family| family.len() == 1), "{:?}", arranged.families);

        let form = |name: &str, more: &str| {
            let head = "title = \"t\"\npage = [210, 297]\nframes = [[15, 15, 180, 260]]\nlines = [[15, 40, 195, 40]]\n";
            let field = "[[field]]\nname = \"a\"\nkind = \"integer\"\nbox = [80, 140, 50, 10]\n";
            parse_template(&format!("name = \"{name}\"\n{head}{field}{more}")).expect("it is well formed")
        };
        let more = "[[field]]\nname = \"b\"\nkind = \"integer\"\nbox = [80, 160, 50, 10]\n";
        let all: Vec<FormTemplate> = known.into_iter().chain([form("x", ""), form("y", more)]).collect();
        let arranged = Families::new(&all, &RegisterParams::default());
        let [x, y] = [all.len() - 2, all.len() - 1];
        assert_eq!(arranged.families.last(), Some(&vec![x, y]));
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
        assert_eq!(families.families, [vec![0, 1], vec![2]]);
        let members: Vec<&[usize]> = families.each().map(|family| family.members).collect();
        assert_eq!(members, [&[0, 1][..], &[2][..]]);
    }

    #[test]
    fn families_leave_out_templates_of_the_whole_image() {
        let text = "name = \"s\"\ntitle = \"t\"\nwhole_image = true\n[[field]]\nname = \"a\"\nkind = \"integer\"\n";
        let families = Families::new(&[parse_template(text).expect("it is well formed")], &RegisterParams::default());
        assert_eq!(families.each().count(), 0);
        assert!(families.siblings(0).is_empty() && families.placed(0, &Projection::IDENTITY).is_none());
        assert_eq!(Families::new(&[], &RegisterParams::default()).each().count(), 0);
    }
}
