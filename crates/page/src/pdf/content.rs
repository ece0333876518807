//! Checks that all parts of a PDF page are in the file, and within limits.

use std::collections::HashSet;

use hayro::hayro_syntax::content::{TypedIter, ops::TypedInstruction};
use hayro::hayro_syntax::object::{Array, Dict, Name, Object, ObjectIdentifier, Stream};
use hayro::hayro_syntax::page::{Page, Resources};

use super::filters::unpack;
use super::picture;
use formread_raster::error::{Error, Format, Result};

/// Most bytes of the instructions of a page when decompressed. A page of dense vector drawing has some 10 MB.
const CONTENT_BYTES: u64 = 64 << 20;

/// Checks that the instructions of a page, and of the forms that it draws, can be read, and that what they draw is in
/// the file. hayro draws a page without the parts that are missing.
///
/// # Errors
/// `Format` where a part is missing or broken, `Limit` where instructions unpack to too much.
pub fn check(page: &Page<'_>) -> Result<()> {
    let mut walk = Walk { bytes_left: CONTENT_BYTES, visited: HashSet::new() };
    let streams = match page.raw().get::<Object<'_>>("Contents") {
        Some(Object::Stream(stream)) => vec![stream],
        Some(Object::Array(parts)) => streams_of(&parts)?,
        // a page may be empty
        None if !page.raw().contains_key("Contents") => Vec::new(),
        _ => return Err(missing()),
    };
    let mut content = Vec::new();
    for stream in streams {
        content.extend_from_slice(&walk.instructions(&stream)?);
        content.push(b' ');
    }
    // forms to be checked, as a list: they may be nested to any depth
    let mut forms = walk.forms(&content, page.resources())?;
    while let Some((form, outer)) = forms.pop() {
        if walk.visited.insert(form.obj_id()) {
            let instructions = walk.instructions(&form)?;
            let own = form.dict().get::<Dict<'_>>("Resources").map(Resources::new);
            forms.extend(walk.forms(&instructions, own.as_ref().unwrap_or(&outer))?);
        }
    }
    Ok(())
}

fn missing() -> Error {
    Error::format(Format::Pdf, "a part of the page is not in the file")
}

fn streams_of<'a>(parts: &Array<'a>) -> Result<Vec<Stream<'a>>> {
    let n_parts = parts.raw_iter().count();
    let streams: Vec<Stream<'a>> = parts.iter::<Object<'a>>().filter_map(Object::into_stream).collect();
    if streams.len() == n_parts { Ok(streams) } else { Err(missing()) }
}

struct Walk {
    bytes_left: u64,
    /// Forms that were checked: one may be drawn any number of times.
    visited: HashSet<ObjectIdentifier>,
}

impl Walk {
    fn instructions<'a>(&mut self, stream: &Stream<'a>) -> Result<std::borrow::Cow<'a, [u8]>> {
        let unpacked = unpack(stream, self.bytes_left)?;
        if !unpacked.is_whole || unpacked.code.is_some() {
            return Err(Error::format(Format::Pdf, "the instructions of a page break off"));
        }
        self.bytes_left -= unpacked.data.len() as u64;
        Ok(unpacked.data)
    }

    /// Checks the pictures that instructions draw; returns the forms that they draw, with the resources of each.
    fn forms<'a>(&self, instructions: &[u8], resources: &Resources<'a>) -> Result<Vec<(Stream<'a>, Resources<'a>)>> {
        let mut forms = Vec::new();
        let mut instructions = TypedIter::new(instructions);
        while let Some(instruction) = instructions.next() {
            match instruction {
                TypedInstruction::InlineImage(image) => drop(picture::size(image.0.dict())?),
                TypedInstruction::XObject(object) => {
                    let stream = resources.get_x_object(object.0).ok_or_else(missing)?;
                    let kind = stream.dict().get::<Name<'_>>("Subtype");
                    match kind.as_ref().map(Name::as_str) {
                        Some("Image") => drop(picture::size(stream.dict())?),
                        Some("Form") if stream.dict().get::<[f32; 4]>("BBox").is_some() => {
                            if !self.visited.contains(&stream.obj_id()) {
                                forms.push((stream, resources.clone()));
                            }
                        }
                        _ => return Err(missing()),
                    }
                }
                _ => {}
            }
        }
        Ok(forms)
    }
}
