//! Decisions on pages, and the fields of rejected pages for which somebody chose a form.

use std::time::Duration;

use super::Review;
use crate::{
    answer::{Decision, Refusal},
    journal::Event,
    queue::{Group, ItemIdx, Origin},
    solve::Place,
};
use formread_raster::error::Result;

impl Review {
    /// Takes a decision on a page to see, by its index among them. The event is to be stored; none where the same was taken before. Where a
    /// form is chosen, the session is asked its fields next.
    ///
    /// # Errors
    /// A [`Refusal`], or what is wrong with the files of the run.
    pub fn decide(
        &mut self,
        session: u64,
        idx: usize,
        id: &str,
        decision: Decision,
        at: Duration,
    ) -> Result<Result<Option<Event>, Refusal>> {
        let Some(who) = self.queue.who(session) else { return Ok(Err(Refusal::NoSession)) };
        if let Decision::Form(name) = &decision
            && self.form(name).is_none()
        {
            return Ok(Err(Refusal::NoForm));
        }
        let event = match self.pages_to_see.decide(idx, id, who, decision, at.as_secs()) {
            Ok(event) => event,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if event.is_some() && self.add_page(idx)? {
            let (document, page) = self.pages_to_see.all()[idx].place;
            self.queue.turn_to(session, Group::Page(document, page));
        }
        Ok(Ok(event))
    }

    /// Takes back the decision of a session's person on a page, and with it all answers to fields of the form that was chosen. The
    /// events are to be stored.
    ///
    /// # Errors
    /// As [`Review::decide`].
    pub fn take_back_decision(
        &mut self,
        session: u64,
        idx: usize,
        at: Duration,
    ) -> Result<Result<Vec<Event>, Refusal>> {
        let Some(who) = self.queue.who(session).map(str::to_owned) else { return Ok(Err(Refusal::NoSession)) };
        let at = at.as_secs();
        let chosen =
            self.pages_to_see.all().get(idx).filter(|page| page.chosen_form().is_some()).map(|page| page.place);
        let undo = match self.pages_to_see.take_back(idx, &who, at) {
            Ok(undo) => undo,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut events = Vec::new();
        if let Some((document, page)) = chosen {
            let readings = self.readings.get_mut(&document).map(std::mem::take).unwrap_or_default();
            let (of_page, others) = readings.into_iter().partition(|(place, _)| place.page == page);
            self.readings.insert(document, others);
            for answer in of_page.into_values().flatten() {
                self.answers.insert(answer.id.clone(), None);
                self.queue.withdrawn(&answer.id);
                events.push(Event::Undo { id: answer.id, who: who.clone(), at });
            }
            self.queue.forget_page(document, page);
            self.update(document)?;
        }
        events.push(undo);
        Ok(Ok(events))
    }

    /// Has the fields of a page asked, where somebody chose a form for it. Returns whether somebody did.
    pub(super) fn add_page(&mut self, idx: usize) -> Result<bool> {
        let page = self.pages_to_see.all().get(idx);
        let chosen = page.and_then(|page| Some((page.place, self.form(page.chosen_form()?)?)));
        let Some(((document, page), form)) = chosen else { return Ok(false) };
        let n_fields = self.run.rules.templates[usize::from(form)].fields.len() as u32;
        for field in 0..n_fields {
            self.add_item(document, Place { page, field }, (form, field as u16), Origin::Page);
        }
        // other pages of the file may lean on its fields
        self.update(document)?;
        Ok(true)
    }

    /// The page to see of an item that is asked on its whole page, by its index among them.
    pub fn page_of(&self, idx: ItemIdx) -> Option<usize> {
        let item = self.queue.item(idx).filter(|item| item.origin == Origin::Page)?;
        self.pages_to_see.at((item.document, item.place.page))
    }

    /// Keeps the fields of pages that the machine has not read from being asked: nobody may see a page. Returns how many wait.
    pub fn hide_pages(&mut self) -> usize {
        self.queue.hide_pages()
    }

    /// The forms that can be chosen for a page: name and title.
    pub fn forms(&self) -> impl Iterator<Item = (&str, &str)> {
        self.run.rules.templates.iter().map(|template| (template.name.as_str(), template.title.as_str()))
    }
}
