//! Many templates, so arranged that a page need not be held against each of them from nothing: those that differ little
//! from one another are a family, looked for by its first member alone.

use super::{rivals::Laid, search::LineModel};
use crate::form::{FormTemplate, PageLayout};
use formread_raster::geometry::Projection;

/// Templates of which each has this share of the other's lines, where they lie, are of one family. Empirically chosen: known
/// forms share 0.5 and less by chance, a form with a box moved or added 0.85 and more with the one before.
const KIN_SHARE: f64 = 0.75;
/// Lines this near to each other are shared, millimetres: what [`super::rivals`] tells apart is further.
const KIN_MM: f64 = 1.2;
/// How far the sides of two pages may differ, as a share of them, for their templates to be kin.
const KIN_PAGE: f64 = 0.02;

/// A family.
#[derive(Clone, Copy)]
pub(super) struct Family<'a> {
    /// Indices of its templates.
    pub members: &'a [usize],
    /// The lines of the first one.
    pub model: &'a LineModel,
}

/// What registration knows of all templates before it sees a page.
#[derive(Debug, Clone, Default)]
pub struct Families {
    /// One a printed template; `None` of one that takes the whole image.
    models: Vec<Option<LineModel>>,
    /// Indices of templates, each in one family, its first member the first of all that are kin to it.
    families: Vec<Vec<usize>>,
}

impl Families {
    /// Arranges `templates`; a few hundredths of a second for each hundred and each family of them.
    pub fn new(templates: &[FormTemplate]) -> Self {
        let model = |template: &FormTemplate| match &template.layout {
            PageLayout::Printed(landmarks) => Some(LineModel::new(template, landmarks)),
            PageLayout::WholeImage => None,
        };
        let models: Vec<Option<LineModel>> = templates.iter().map(model).collect();
        let mut families: Vec<Vec<usize>> = Vec::new();
        for (idx, own) in models.iter().enumerate() {
            let Some(own) = own else { continue };
            let is_kin = |other: usize| {
                let model = models[other].as_ref();
                model.is_some_and(|model| are_kin((&templates[idx], own), (&templates[other], model)))
            };
            match families.iter_mut().find(|family| is_kin(family[0])) {
                Some(family) => family.push(idx),
                None => families.push(vec![idx]),
            }
        }
        Self { models, families }
    }

    /// The family of the template `idx`, itself too; empty for one that takes the whole image.
    pub fn siblings(&self, idx: usize) -> &[usize] {
        self.families.iter().find(|family| family.contains(&idx)).map_or(&[], Vec::as_slice)
    }

    /// Each of them.
    pub(super) fn each(&self) -> impl Iterator<Item = Family<'_>> {
        self.families.iter().filter_map(|members| Some(Family { members, model: self.models[members[0]].as_ref()? }))
    }

    /// The template `idx`, laid on a page by `map`.
    pub(super) fn laid<'a>(&'a self, idx: usize, map: &'a Projection) -> Option<Laid<'a>> {
        Some(Laid { model: self.models[idx].as_ref()?, map })
    }
}

fn are_kin((a, a_model): (&FormTemplate, &LineModel), (b, b_model): (&FormTemplate, &LineModel)) -> bool {
    let (a_page, b_page) = (a_model.page, b_model.page);
    let alike = |a: f64, b: f64| (a - b).abs() <= KIN_PAGE * a.max(b);
    alike(a_page.width(), b_page.width())
        && alike(a_page.height(), b_page.height())
        && a.line_overlap(&b_model.lines, &Projection::IDENTITY, KIN_MM) >= KIN_SHARE
        && b.line_overlap(&a_model.lines, &Projection::IDENTITY, KIN_MM) >= KIN_SHARE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::{known_templates, parse_template};

    #[test]
    fn known_forms_are_no_kin_and_a_form_with_one_more_field_is() {
        let known = known_templates().expect("they parse");
        let printed = known.iter().filter(|template| template.layout != PageLayout::WholeImage).count();
        let arranged = Families::new(&known);
        assert_eq!(arranged.families.len(), printed);
        assert!(arranged.families.iter().all(|family| family.len() == 1), "{:?}", arranged.families);

        let form = |name: &str, more: &str| {
            let head = "title = \"t\"\npage = [210, 297]\nframes = [[15, 15, 180, 260]]\nlines = [[15, 40, 195, 40]]\n";
            let field = "[[field]]\nname = \"a\"\nkind = \"integer\"\nbox = [80, 140, 50, 10]\n";
            parse_template(&format!("name = \"{name}\"\n{head}{field}{more}")).expect("it is well formed")
        };
        let more = "[[field]]\nname = \"b\"\nkind = \"integer\"\nbox = [80, 160, 50, 10]\n";
        let all: Vec<FormTemplate> = known.into_iter().chain([form("x", ""), form("y", more)]).collect();
        let arranged = Families::new(&all);
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
        let families = Families::new(&forms);
        assert_eq!(families.families, [vec![0, 1], vec![2]]);
        let members: Vec<&[usize]> = families.each().map(|family| family.members).collect();
        assert_eq!(members, [&[0, 1][..], &[2][..]]);
    }

    #[test]
    fn families_leave_out_templates_of_the_whole_image() {
        let text = "name = \"s\"\ntitle = \"t\"\nwhole_image = true\n[[field]]\nname = \"a\"\nkind = \"integer\"\n";
        let families = Families::new(&[parse_template(text).expect("it is well formed")]);
        assert_eq!(families.each().count(), 0);
        assert!(families.siblings(0).is_empty() && families.laid(0, &Projection::IDENTITY).is_none());
        assert_eq!(Families::new(&[]).each().count(), 0);
    }
}
