//! The side that decodes.

use std::{
    io::{self, BufWriter, Read, Write},
    sync::mpsc::{self, Receiver},
    thread,
};

use super::wire::{Hello, Request, Response, read_header, write_header, write_page};
use crate as page;
use crate::Limits;
use formread_raster::error::{Error, Format};

enum Work {
    Open(Vec<u8>),
    Decode(usize),
}

/// Serves requests until `requests` ends. Decoding runs on a thread of its own: where the requesting program dies, this
/// returns at once, even in the middle of a page, and the process can end.
///
/// # Errors
/// Where the requesting program is of another version, or a request cannot be read.
pub fn serve_pages(mut requests: impl Read, responses: impl Write + Send + 'static, limits: Limits) -> io::Result<()> {
    let mut responses = BufWriter::new(responses);
    // before it reads anything, so that a program of another version learns what it talks to
    write_header(&mut responses, &Hello::own())?;
    responses.flush()?;
    match read_header::<Hello>(&mut requests)? {
        Some(hello) if hello == Hello::own() => {}
        Some(hello) => {
            return Err(io::Error::other(format!("the program that asks is of another version: {}", hello.version)));
        }
        None => return Ok(()),
    }

    let (sender, work) = mpsc::channel();
    thread::Builder::new().spawn(move || respond(&work, responses, &limits))?;
    while let Some(request) = read_header(&mut requests)? {
        let work = match request {
            Request::File { n_bytes } => {
                let mut bytes = Vec::new();
                if (&mut requests).take(n_bytes).read_to_end(&mut bytes)? as u64 != n_bytes {
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

/// Does the work in its order. Ends when no more can come, or nobody reads the responses.
fn respond(work: &Receiver<Work>, mut responses: impl Write, limits: &Limits) -> io::Result<()> {
    let mut file = Vec::new();
    let mut next = work.recv().ok();
    while let Some(task) = next.take() {
        if let Work::Open(bytes) = task {
            file = bytes;
        }
        let mut pages = match page::open(&file, limits) {
            Ok(pages) => pages,
            Err(error) => {
                write_header(&mut responses, &Response::Fault((&error).into()))?;
                responses.flush()?;
                next = work.recv().ok();
                continue;
            }
        };
        write_header(&mut responses, &Response::Opened { n_pages: pages.len() })?;
        responses.flush()?;
        let mut next_idx = 0;
        next = loop {
            match work.recv().ok() {
                Some(Work::Decode(idx)) => {
                    // pages run forwards only; for an earlier page the file is opened again
                    if idx < next_idx {
                        (pages, next_idx) = match page::open(&file, limits) {
                            Ok(pages) => (pages, 0),
                            Err(_) => break None,
                        };
                    }
                    let page = pages.nth(idx - next_idx);
                    next_idx = idx + 1;
                    let no_page = || Err(Error::format(Format::Image, "no such page"));
                    write_page(&mut responses, &page.unwrap_or_else(no_page))?;
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
    fn served_pages_equal_those_decoded_in_process() {
        let read = |name: &str| -> Arc<[u8]> {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/decode").join(name);
            std::fs::read(path).expect("it is there").into()
        };
        let (polarity, broken) = (read("polarity.pdf"), b"no picture");
        let mut requests = Vec::new();
        write_header(&mut requests, &Hello::own()).expect("memory takes all");
        let mut put = |request: &Request, bytes: &[u8]| {
            write_header(&mut requests, request).and_then(|()| requests.write_all(bytes)).expect("memory takes all");
        };
        put(&Request::File { n_bytes: broken.len() as u64 }, broken);
        put(&Request::File { n_bytes: polarity.len() as u64 }, &polarity);
        // in any order, and one that does not exist
        let order = [1, 0, 2, 3, 1];
        order.iter().for_each(|&idx| put(&Request::Page { idx }, &[]));

        let (source, sink) = io::pipe().expect("there are pipes");
        let limits = Limits::default();
        // the requests must not end before the last page has arrived
        let (requests_source, mut requests_sink) = io::pipe().expect("there are pipes");
        let served = thread::spawn(move || serve_pages(requests_source, sink, limits));
        requests_sink.write_all(&requests).expect("it is read");
        let mut source = io::BufReader::new(source);
        assert_eq!(read_header::<Hello>(&mut source).expect("it is whole"), Some(Hello::own()));
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
        drop(requests_sink);
        served.join().expect("it does not panic").expect("it understands all requests");
    }
}
