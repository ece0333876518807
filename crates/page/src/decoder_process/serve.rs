//! The side that decodes.

use std::{
    io::{self, BufWriter, Read, Write},
    sync::mpsc::{self, Receiver},
    thread,
};

use super::wire::{Request, Response, read_header, write_header, write_page};
use crate as page;
use crate::Limits;
use formread_raster::error::Error;

/// What is to be done.
enum Work {
    Open(Vec<u8>),
    Decode(usize),
}

/// Decodes what `asks` ask for until they end. Decoding is done on another thread: where a run dies, its decoders end
/// with it, in the middle of a page if need be, once their process returns from this.
///
/// # Errors
/// Where what is asked cannot be read or understood.
pub fn serve_pages(mut asks: impl Read, answers: impl Write + Send + 'static, limits: Limits) -> io::Result<()> {
    let (sender, work) = mpsc::channel();
    thread::spawn(move || answer(&work, BufWriter::new(answers), &limits));
    while let Some(ask) = read_header(&mut asks)? {
        let work = match ask {
            Request::File { n_bytes } => {
                let mut bytes = Vec::new();
                if (&mut asks).take(n_bytes).read_to_end(&mut bytes)? as u64 != n_bytes {
                    return Ok(());
                }
                Work::Open(bytes)
            }
            Request::Page { idx } => Work::Decode(idx),
        };
        if sender.send(work).is_err() {
            break;
        }
    }
    Ok(())
}

/// Ends where nobody asks or listens any more.
fn answer(work: &Receiver<Work>, mut answers: impl Write, limits: &Limits) -> io::Result<()> {
    let mut file = Vec::new();
    // the page of an open file that is asked for next, or a file
    let mut next = work.recv().ok();
    while let Some(task) = next.take() {
        if let Work::Open(bytes) = task {
            file = bytes;
        }
        let mut pages = match page::open(&file, limits) {
            Ok(pages) => pages,
            Err(error) => {
                write_header(&mut answers, &Response::Fault((&error).into()))?;
                answers.flush()?;
                next = work.recv().ok();
                continue;
            }
        };
        write_header(&mut answers, &Response::Opened { n_pages: pages.len() })?;
        answers.flush()?;
        let mut next_idx = 0;
        next = loop {
            match work.recv().ok() {
                Some(Work::Decode(idx)) => {
                    // pages are asked for in their order, but where one is asked for again
                    if idx < next_idx {
                        (pages, next_idx) = match page::open(&file, limits) {
                            Ok(pages) => (pages, 0),
                            Err(_) => break None,
                        };
                    }
                    let page = pages.nth(idx - next_idx);
                    next_idx = idx + 1;
                    let no_page = || Err(Error::format("image", "no such page"));
                    write_page(&mut answers, &page.unwrap_or_else(no_page))?;
                }
                other => break other,
            }
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use super::super::wire::{page_of, read_response};
    use super::*;

    #[test]
    fn pages_are_served_as_they_are_decoded_here() {
        let read = |name: &str| -> Arc<[u8]> {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/decode").join(name);
            std::fs::read(path).expect("it is there").into()
        };
        let (polarity, broken) = (read("polarity.pdf"), b"no picture");
        let mut asks = Vec::new();
        let mut ask = |ask: &Request, bytes: &[u8]| {
            write_header(&mut asks, ask).and_then(|()| asks.write_all(bytes)).expect("memory takes all");
        };
        ask(&Request::File { n_bytes: broken.len() as u64 }, broken);
        ask(&Request::File { n_bytes: polarity.len() as u64 }, &polarity);
        // in no order, and one that there is not
        let order = [1, 0, 2, 3, 1];
        order.iter().for_each(|&idx| ask(&Request::Page { idx }, &[]));

        let (source, sink) = io::pipe().expect("there are pipes");
        let limits = Limits::default();
        // the asks end before the pages are there, so they are held open until the last one is
        let (asks_source, mut asks_sink) = io::pipe().expect("there are pipes");
        let served = thread::spawn(move || serve_pages(asks_source, sink, limits));
        asks_sink.write_all(&asks).expect("it is read");
        let mut source = io::BufReader::new(source);
        let mut next = || read_response(&mut source, limits.page_pixels).expect("it is whole").expect("it is there");
        assert!(matches!(next().0, Response::Fault(_)));
        assert!(matches!(next().0, Response::Opened { n_pages: 3 }));
        for idx in order {
            let own = page::open(&polarity, &limits).expect("it is whole").nth(idx);
            match (page_of(next()), own) {
                (Ok(page), Some(Ok(own))) => assert_eq!(page.pixels, own.pixels, "page {idx}"),
                (Err(_), None) => {}
                (served, own) => panic!("page {idx}: {served:?}, not {own:?}"),
            }
        }
        drop(asks_sink);
        served.join().expect("it does not panic").expect("it understood all");
    }
}
