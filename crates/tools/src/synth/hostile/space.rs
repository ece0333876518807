//! Free space on a page.

use rand::RngExt;

use crate::synth::Dice;
use formread_core::form::{FormTemplate, PageLayout};
use formread_raster::geometry::{Point, Rect};

/// Margin of a page on which nobody writes, millimetres.
const PAGE_MARGIN_MM: f64 = 4.0;
/// Number of random places that are tried for a free one.
const N_TRIES: usize = 60;

/// Free space around a field, millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Room {
    pub left: f64,
    pub right: f64,
    pub above: f64,
    pub below: f64,
}

/// The part of the page on which people write.
pub(super) fn writable(page: Rect) -> Rect {
    page.inflate(-PAGE_MARGIN_MM)
}

/// What is printed on the page besides lines, and the fields, millimetres.
pub(super) fn obstacles(template: &FormTemplate, frames: &[Rect]) -> Vec<Rect> {
    let mut obstacles = frames.to_vec();
    if let PageLayout::Printed(landmarks) = &template.layout {
        obstacles.extend(landmarks.words.iter().map(|word| word.bounds));
        obstacles.extend(&landmarks.marks);
    }
    obstacles.extend(template.numbers.iter().map(|number| number.bounds));
    obstacles.extend(template.barcodes.iter().map(|barcode| barcode.bounds));
    obstacles
}

/// The free space around `frame`, which may be one of `obstacles`.
pub(super) fn room_around(frame: Rect, obstacles: &[Rect], page: Rect) -> Room {
    let page = writable(page);
    let mut room = Room {
        left: frame.x0 - page.x0,
        right: page.x1 - frame.x1,
        above: frame.y0 - page.y0,
        below: page.y1 - frame.y1,
    };
    for other in obstacles.iter().filter(|other| **other != frame) {
        let (is_beside, is_over) =
            (other.y0 < frame.y1 && other.y1 > frame.y0, other.x0 < frame.x1 && other.x1 > frame.x0);
        let middle = other.centre() - frame.centre();
        let (space, gap) = match (is_beside, is_over) {
            (true, false) if middle.x < 0.0 => (&mut room.left, frame.x0 - other.x1),
            (true, false) => (&mut room.right, other.x0 - frame.x1),
            (false, true) if middle.y < 0.0 => (&mut room.above, frame.y0 - other.y1),
            (false, true) => (&mut room.below, other.y0 - frame.y1),
            _ => continue,
        };
        *space = space.min(gap);
    }
    Room {
        left: room.left.max(0.0),
        right: room.right.max(0.0),
        above: room.above.max(0.0),
        below: room.below.max(0.0),
    }
}

/// A random place of `width` x `height` millimetres that no obstacle touches; `None` if none is found.
pub(super) fn free_place([width, height]: [f64; 2], obstacles: &[Rect], page: Rect, dice: &mut Dice) -> Option<Rect> {
    let area = writable(page);
    let (free_x, free_y) = (area.width() - width, area.height() - height);
    if free_x <= 0.0 || free_y <= 0.0 {
        return None;
    }
    (0..N_TRIES).find_map(|_| {
        let corner = Point::new(area.x0 + dice.random_range(0.0..free_x), area.y0 + dice.random_range(0.0..free_y));
        let place = Rect::from_xywh(corner.x, corner.y, width, height);
        obstacles.iter().all(|other| place.intersection(other.inflate(0.5)).is_none()).then_some(place)
    })
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn room_ends_at_the_page_and_at_the_nearest_obstacle() {
        let (page, frame) = (Rect::from_xywh(0.0, 0.0, 100.0, 80.0), Rect::from_xywh(30.0, 30.0, 20.0, 8.0));
        let obstacles = [
            frame,
            Rect::from_xywh(60.0, 32.0, 10.0, 3.0),
            Rect::from_xywh(55.0, 50.0, 30.0, 8.0),
            Rect::from_xywh(40.0, 44.0, 30.0, 8.0),
        ];
        let room = room_around(frame, &obstacles, page);
        assert_eq!(room, Room { left: 26.0, right: 10.0, above: 26.0, below: 6.0 });
        assert_eq!(room_around(frame, &[frame.inflate(-1.0)], page).right, 46.0);
    }

    #[test]
    fn free_place_touches_no_obstacle() {
        let page = Rect::from_xywh(0.0, 0.0, 100.0, 80.0);
        let obstacles = [Rect::from_xywh(0.0, 0.0, 100.0, 40.0)];
        let dice = &mut Dice::seed_from_u64(1);
        for _ in 0..20 {
            let place = free_place([20.0, 10.0], &obstacles, page, dice).expect("half the page is free");
            assert!(place.y0 > 40.0 && place.y1 <= 76.0, "{place:?}");
        }
        assert_eq!(free_place([20.0, 10.0], &[page], page, dice), None);
        assert_eq!(free_place([200.0, 10.0], &[], page, dice), None);
    }
}
