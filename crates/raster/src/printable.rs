//! Text of others on a terminal.

use std::borrow::Cow;

/// A text of others, such as a file's name, as it may be shown on a terminal: control characters, which move the cursor, ring or
/// begin a new line, and characters that turn the direction of the text or are not seen are written as `\u{..}`.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// The same for a text of several lines.
pub fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// Unicode 16, section 23.2 (layout controls), and Boucher and Anderson, "Trojan source", 2021, table 1.
fn is_unsafe(c: char) -> bool {
    let is_layout = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    c.is_control() || is_layout || matches!(c, '\u{61c}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_direction_characters_are_escaped_and_other_text_is_not() {
        assert_eq!(printable("Ümläut 表.tif"), "Ümläut 表.tif");
        assert_eq!(printable("a\u{1b}[2Jb\u{7}\nc"), "a\\u{1b}[2Jb\\u{7}\\u{a}c");
        assert_eq!(printable("a\u{202e}fit.exe"), "a\\u{202e}fit.exe");
        assert_eq!(printable_lines("one\ntwo\r"), "one\ntwo\\u{d}");
    }
}
