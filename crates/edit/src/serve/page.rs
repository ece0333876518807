//! The page, its scripts, its style and its texts. Nothing of the user's is in them.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    http::header,
    response::{Html, IntoResponse},
    routing::get,
};
use maud::{DOCTYPE, html};

use super::Shared;

/// All texts, to translate them in one place.
const TEXTS: &str = include_str!("../assets/texts.json");
const SCRIPT: &str = "text/javascript; charset=utf-8";
/// The files of the page: name, type, content.
const FILES: [(&str, &str, &str); 8] = [
    ("/edit.js", SCRIPT, include_str!("../assets/edit.js")),
    ("/session.js", SCRIPT, include_str!("../assets/session.js")),
    ("/drawing.js", SCRIPT, include_str!("../assets/drawing.js")),
    ("/panels.js", SCRIPT, include_str!("../assets/panels.js")),
    ("/dom.js", SCRIPT, include_str!("../assets/dom.js")),
    ("/edit.css", "text/css; charset=utf-8", include_str!("../assets/edit.css")),
    ("/texts.json", "application/json", TEXTS),
    ("/icon.svg", "image/svg+xml", include_str!("../assets/icon.svg")),
];

/// The routes of the page and its files.
pub fn routes() -> Router<Arc<Shared>> {
    FILES.into_iter().fold(Router::new().route("/", get(page)), |router, (name, kind, content)| {
        router.route(name, get(move || async move { ([(header::CONTENT_TYPE, kind)], content).into_response() }))
    })
}

fn text_of(name: &str) -> String {
    let texts: BTreeMap<String, String> = serde_json::from_str(TEXTS).unwrap_or_default();
    texts.get(name).cloned().unwrap_or_else(|| name.to_owned())
}

/// The page. Its scripts fill it.
async fn page() -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang=(text_of("lang")) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (text_of("title")) }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/edit.css";
                script type="module" src="/edit.js" {}
            }
            body {
                header {
                    h1 #heading { (text_of("title")) }
                    div #tools .tools role="group" aria-label=(text_of("tools")) {}
                }
                main #main {
                    noscript { (text_of("needs-script")) }
                }
                p #notice role="status" aria-live="polite" {}
            }
        }
    };
    Html(page.into_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::keys::{FIELD_KEYS, SIDES};
    use formread_tools::template::Severity;

    #[test]
    fn each_text_that_page_and_scripts_name_is_there_and_no_other() {
        let texts: BTreeMap<String, String> = serde_json::from_str(TEXTS).expect("it is a map of texts");
        let own = include_str!("page.rs").split("#[cfg(test)]").next().expect("it has code");
        let mut named: BTreeSet<String> = named_in(own, "text_of(\"");
        for (name, _, content) in FILES.iter().filter(|(name, ..)| name.ends_with(".js")) {
            named.extend(named_in(content, "text(\""));
            assert!(!content.contains("text('"), "{name}");
        }
        // names that the scripts put together
        named.extend(FIELD_KEYS.iter().map(|key| format!("key-{}", key.key)));
        named.extend(FIELD_KEYS.iter().flat_map(|key| key.words).map(|word| format!("word-{word}")));
        named.extend(FIELD_KEYS.iter().flat_map(|key| key.kinds).map(|kind| format!("kind-{kind}")));
        named.extend(SIDES.map(|side| format!("word-{side}")));
        named
            .extend([Severity::Fault, Severity::Risk, Severity::Advice].map(|severity| format!("severity-{severity}")));
        named.extend(texts.keys().filter(|name| name.starts_with("press-")).cloned());
        assert_eq!(texts.into_keys().collect::<BTreeSet<_>>(), named);
    }

    fn named_in(source: &str, before: &str) -> BTreeSet<String> {
        source.split(before).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
    }
}
