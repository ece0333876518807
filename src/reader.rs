//! The front door: a page's bytes in, its record out. Templates and weights are loaded once.
//!
//! [`Reader::read`] does it all. A caller that has many pages parts it at the net, as [`crate::pipeline`] does:
//! [`Reader::prepare`] page by page, on as many threads as it likes, [`Reader::classify`] for the glyphs of many pages
//! at once, [`Reader::finish`] page by page.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use crate::{
    assemble::{AcceptParams, PageReading, PageRecord, assemble_page},
    error::{Error, ErrorKind, PageReject, Result},
    form::{Field, FormTemplate},
    geometry::Rect,
    net::{GlyphClassifier, GlyphScores},
    normalise::{Glyph, GlyphBatch, collate, normalise},
    page::{self, Limits, Page},
    register::{FieldRegistration, RegisterParams, Registration, identify},
    segment::{FieldCut, FieldInk, LatticeEdge, segment},
};
#[cfg(feature = "torch")]
use crate::{
    form::known_templates,
    net::{ConvNet, Weights},
};

/// Makes a classifier. The reader keeps one for each thread that classifies at the same time.
pub type ClassifierFactory = Box<dyn Fn() -> Result<Box<dyn GlyphClassifier>> + Send + Sync>;

/// Reads pages of the forms it knows. Can be called from many threads.
pub struct Reader {
    templates: Vec<FormTemplate>,
    limits: Limits,
    register_params: RegisterParams,
    accept_params: AcceptParams,
    make_classifier: ClassifierFactory,
    weights_fingerprint: String,
    /// Classifiers that nobody is using: a net is moved between threads, never shared.
    idle: Mutex<Vec<Box<dyn GlyphClassifier>>>,
}

/// A page made ready for the net.
#[derive(Debug)]
pub struct PreparedPage {
    page: u32,
    glyphs: Vec<Glyph>,
    state: Prepared,
}

#[derive(Debug)]
enum Prepared {
    Rejected(PageReading),
    Cut {
        cut: CutPage,
        /// For each cut, for each edge of its lattice: whether it has a glyph among the page's.
        has_glyph: Vec<Vec<bool>>,
        /// The fields' boxes on the scan as stored, pixels, in the template's order.
        stored_bounds: Vec<Rect>,
    },
}

/// A page that was recognised and cut.
#[derive(Debug)]
pub struct CutPage {
    /// Index into the reader's templates.
    pub template_idx: usize,
    /// How the template lies on the page.
    pub registration: Registration,
    /// The fields' ink, in the template's order.
    pub cuts: Vec<FieldCut>,
}

/// A page's record, and how it came about.
#[derive(Debug)]
pub struct PageReport {
    /// What the page said.
    pub record: PageRecord,
    /// Where it was read; `None` where the page was rejected.
    pub cut: Option<CutPage>,
}

impl Reader {
    /// A reader of `templates` whose glyphs are told apart by what `make_classifier` makes. `weights_fingerprint` tells
    /// one set of weights from another.
    ///
    /// # Errors
    /// `Usage` where there is no template or two have one name; whatever the first classifier fails with.
    pub fn new(
        templates: Vec<FormTemplate>,
        weights_fingerprint: String,
        make_classifier: ClassifierFactory,
    ) -> Result<Self> {
        if templates.is_empty() {
            return Err(Error::usage("no template is given"));
        }
        let mut names = HashSet::new();
        if let Some(twice) = templates.iter().find(|template| !names.insert(&template.name)) {
            return Err(Error::usage(format!("two templates have one name: {}", twice.name)));
        }
        let idle = Mutex::new(vec![make_classifier()?]);
        Ok(Self {
            templates,
            limits: Limits::default(),
            register_params: RegisterParams::default(),
            accept_params: AcceptParams::default(),
            make_classifier,
            weights_fingerprint,
            idle,
        })
    }

    /// A reader of `templates` with the net of these weights.
    ///
    /// # Errors
    /// As [`Reader::new`]; `Net` where LibTorch fails.
    #[cfg(feature = "torch")]
    pub fn with_weights(templates: Vec<FormTemplate>, weights: Weights) -> Result<Self> {
        let fingerprint = weights.fingerprint();
        let make = move || -> Result<Box<dyn GlyphClassifier>> { Ok(Box::new(ConvNet::from_weights(&weights)?)) };
        Self::new(templates, fingerprint, Box::new(make))
    }

    /// A reader of every form known to the program, with the weights it carries.
    ///
    /// # Errors
    /// `Net` where LibTorch fails.
    #[cfg(feature = "torch")]
    pub fn shipped() -> Result<Self> {
        Self::with_weights(known_templates()?, Weights::shipped()?)
    }

    /// The same with other limits on its input.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The forms it knows.
    pub fn templates(&self) -> &[FormTemplate] {
        &self.templates
    }

    /// The limits on its input.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Tells one set of weights from another.
    pub fn weights_fingerprint(&self) -> &str {
        &self.weights_fingerprint
    }

    /// Tells one set of templates and parameters from another: eight hexadecimal digits.
    pub fn templates_fingerprint(&self) -> String {
        let Self { templates, limits, register_params, accept_params, .. } = self;
        let all = format!("{templates:?} {limits:?} {register_params:?} {accept_params:?}");
        format!("{:08x}", crc32fast::hash(all.as_bytes()))
    }

    /// Reads every page of a file. A page that cannot be read is a record that says why, and so is a file that is no
    /// image.
    ///
    /// # Errors
    /// Where the net fails: never because of what is in `bytes`.
    pub fn read(&self, bytes: &[u8]) -> Result<Vec<PageRecord>> {
        let pages = match page::open(bytes, &self.limits) {
            Ok(pages) => pages,
            Err(error) => return Ok(vec![rejected(1, &error)]),
        };
        let read = |(number, page)| match page {
            Ok(page) => self.read_page(number, &page).map(|report| report.record),
            Err(error) => Ok(rejected(number, &error)),
        };
        (1..).zip(pages).map(read).collect()
    }

    /// Reads one page, the 1-based `number` of its file.
    ///
    /// # Errors
    /// Where the net fails.
    pub fn read_page(&self, number: u32, page: &Page) -> Result<PageReport> {
        let prepared = self.prepare(number, page);
        let scores = self.classify(&collate(prepared.glyphs()))?;
        Ok(self.finish(prepared, &scores))
    }

    /// Does what comes before the net: recognises the form, lays it on, cuts its fields, makes glyphs of their ink.
    pub fn prepare(&self, number: u32, page: &Page) -> PreparedPage {
        let (template_idx, registration) = match identify(page, &self.templates, &self.register_params) {
            Ok(found) => found,
            Err(misfit) => {
                let form = misfit.template_idx.map(|idx| self.templates[idx].name.clone());
                let reading = PageReading::Rejected { form, reason: misfit.reason, detail: misfit.detail };
                return PreparedPage { page: number, glyphs: Vec::new(), state: Prepared::Rejected(reading) };
            }
        };
        let template = &self.templates[template_idx];
        let cuts = segment(page, &registration, template);
        let mut glyphs = Vec::new();
        let mut add_glyph = |edge: &LatticeEdge| {
            let glyph = edge.crop.as_ref().and_then(|crop| normalise(&crop.ink));
            let has_glyph = glyph.is_some();
            glyphs.extend(glyph);
            has_glyph
        };
        let has_glyph = cuts.iter().map(|cut| edges(cut).iter().map(&mut add_glyph).collect()).collect();
        let page_bounds = |(field, at): (&Field, &FieldRegistration)| {
            Rect::around(at.page_from_template.apply_rect(field.layout.bounds())).unwrap_or_default()
        };
        let fields = template.fields.iter().zip(&registration.fields);
        let stored_bounds = fields.map(|field| page.stored_bounds(page_bounds(field))).collect();
        let cut = CutPage { template_idx, registration, cuts };
        PreparedPage { page: number, glyphs, state: Prepared::Cut { cut, has_glyph, stored_bounds } }
    }

    /// Scores of glyphs, of however many pages, in their order.
    ///
    /// # Errors
    /// Where the net fails.
    pub fn classify(&self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
        if batch.n_glyphs == 0 {
            return Ok(Vec::new());
        }
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = idle().pop();
        let mut classifier = match taken {
            Some(classifier) => classifier,
            None => (self.make_classifier)()?,
        };
        let scores = classifier.classify(batch)?;
        idle().push(classifier);
        if scores.len() != batch.n_glyphs {
            return Err(Error::net(format!("{} scores of {} glyphs", scores.len(), batch.n_glyphs)));
        }
        Ok(scores)
    }

    /// Does what comes after the net: `scores` are those of [`PreparedPage::glyphs`], in their order.
    ///
    /// # Panics
    /// Where there are not as many scores as glyphs.
    pub fn finish(&self, prepared: PreparedPage, scores: &[GlyphScores]) -> PageReport {
        assert_eq!(scores.len(), prepared.glyphs.len(), "every glyph has its scores");
        let page = prepared.page;
        let (cut, has_glyph, stored_bounds) = match prepared.state {
            Prepared::Rejected(reading) => return PageReport { record: PageRecord { page, reading }, cut: None },
            Prepared::Cut { cut, has_glyph, stored_bounds } => (cut, has_glyph, stored_bounds),
        };
        let mut scores = scores.iter().copied();
        let mut score_edges = |field: Vec<bool>| -> Vec<Option<GlyphScores>> {
            field.into_iter().map(|has_glyph| if has_glyph { scores.next() } else { None }).collect()
        };
        let edge_scores: Vec<_> = has_glyph.into_iter().map(&mut score_edges).collect();
        let template = &self.templates[cut.template_idx];
        let mut record = assemble_page(page, template, &cut.registration, &cut.cuts, &edge_scores, &self.accept_params);
        if let PageReading::Read { fields, .. } = &mut record.reading {
            for (field, bounds) in fields.iter_mut().zip(stored_bounds) {
                field.bounds = bounds;
            }
        }
        PageReport { record, cut: Some(cut) }
    }
}

impl PreparedPage {
    /// 1-based page in its file.
    pub fn page(&self) -> u32 {
        self.page
    }

    /// What the net is to look at.
    pub fn glyphs(&self) -> &[Glyph] {
        &self.glyphs
    }
}

/// The record of a page that could not even be prepared, because of a fault of its file.
pub fn rejected(page: u32, error: &Error) -> PageRecord {
    let reason = match error.kind() {
        ErrorKind::Limit { .. } => PageReject::TooLarge,
        ErrorKind::Internal(_) | ErrorKind::Net(_) => PageReject::InternalError,
        _ => PageReject::Unreadable,
    };
    let detail = error.kind().to_string();
    PageRecord { page, reading: PageReading::Rejected { form: None, reason, detail } }
}

/// The candidates of a field; none where nothing is written in it.
fn edges(cut: &FieldCut) -> &[LatticeEdge] {
    match &cut.ink {
        FieldInk::Written(lattice) => &lattice.edges,
        FieldInk::Blank | FieldInk::OffPage => &[],
    }
}
