//! The connection service file of PostgreSQL: <https://www.postgresql.org/docs/current/libpq-pgservice.html>.

use std::collections::HashMap;

/// The settings of a service; `None` where the file does not have it.
pub fn settings(file: &str, service: &str) -> Option<HashMap<String, String>> {
    let lines = file.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut of_service =
        lines.skip_while(|line| line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) != Some(service));
    of_service.next()?;
    let settings = of_service.take_while(|line| !line.starts_with('[')).filter_map(|line| line.split_once('='));
    Some(settings.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_those_below_the_name_of_the_service() {
        let file = "# c\n[a]\nhost=one\n\n[taxes]\nhost = db.example\n# port=1\nport=5433\n[b]\nuser=x\n";
        let settings_of = |service| settings(file, service).map(|settings| settings.len());
        assert_eq!((settings_of("taxes"), settings_of("b"), settings_of("c")), (Some(2), Some(1), None));
        assert_eq!(settings(file, "taxes").expect("it is there")["host"], "db.example");
    }
}
