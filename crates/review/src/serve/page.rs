//! The page, its script, its style and its texts. It has no number of any form in it.

use std::collections::BTreeMap;

use axum::{
    http::header,
    response::{Html, IntoResponse},
};
use maud::{DOCTYPE, html};

const SCRIPT: &str = include_str!("../assets/review.js");
const VALUE_SCRIPT: &str = include_str!("../assets/value.js");
const PAGES_SCRIPT: &str = include_str!("../assets/pages.js");
const GROUPS_SCRIPT: &str = include_str!("../assets/groups.js");
const STYLE: &str = include_str!("../assets/review.css");
/// All texts, to translate them in one place.
const TEXTS: &str = include_str!("../assets/texts.json");
const ICON: &str = include_str!("../assets/icon.svg");

fn text_of(name: &str) -> String {
    let texts: BTreeMap<String, String> = serde_json::from_str(TEXTS).unwrap_or_default();
    texts.get(name).cloned().unwrap_or_else(|| name.to_owned())
}

/// The page. Its script fills it.
pub async fn page() -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang=(text_of("lang")) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (text_of("title")) }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/review.css";
                script type="module" src="/review.js" {}
            }
            body {
                header {
                    h1 { (text_of("title")) }
                    p #progress aria-live="off" {}
                    progress #bar max="1" value="0" aria-label=(text_of("progress")) {}
                }
                main #screen tabindex="-1" {
                    noscript { (text_of("needs-script")) }
                }
                p #notice role="status" aria-live="polite" {}
            }
        }
    };
    Html(page.into_string())
}

/// The script.
pub async fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT)
}

/// What may be keyed.
pub async fn value_script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], VALUE_SCRIPT)
}

/// The list of pages.
pub async fn pages_script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], PAGES_SCRIPT)
}

/// Groups of like digits.
pub async fn groups_script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], GROUPS_SCRIPT)
}

/// The style.
pub async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}

/// The texts.
pub async fn texts() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], TEXTS)
}

/// The icon.
pub async fn icon() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml")], ICON)
}

#[cfg(test)]
mod tests {
    use super::*;
    use formread_core::rows::WRITING_OUTSIDE;
    use formread_raster::error::PageReject;

    #[test]
    fn each_text_that_page_and_script_name_is_there() {
        let texts: BTreeMap<String, String> = serde_json::from_str(TEXTS).expect("it is a map of texts");
        let source = include_str!("page.rs");
        let named = |source: &str, before: &str| -> Vec<String> {
            source.split(before).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
        };
        let names = [
            named(source, "text_of(\""),
            named(SCRIPT, "text(\""),
            named(PAGES_SCRIPT, "text(\""),
            named(GROUPS_SCRIPT, "text(\""),
        ]
        .concat();
        assert!(names.len() > 20, "{names:?}");
        for name in names.iter().filter(|name| !name.contains(')')) {
            assert!(texts.contains_key(name), "{name}");
        }
    }
    #[test]
    fn each_reason_of_a_page_to_see_has_a_text() {
        let texts: BTreeMap<String, String> = serde_json::from_str(TEXTS).expect("it is a map of texts");
        for reason in PageReject::ALL.map(PageReject::as_str).into_iter().chain([WRITING_OUTSIDE]) {
            assert!(texts.contains_key(&format!("reason-{reason}")), "{reason}");
        }
    }
}
