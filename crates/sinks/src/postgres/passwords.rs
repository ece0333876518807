//! The password file of PostgreSQL: <https://www.postgresql.org/docs/current/libpq-pgpass.html>.

/// The password of the first line that matches; `None` where none does.
pub fn password(file: &str, host: &str, port: u16, database: &str, user: &str) -> Option<String> {
    let port = port.to_string();
    file.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let parts = parts(line)?;
        let wanted = [host, &port, database, user];
        let matches = parts.iter().zip(wanted).all(|(part, wanted)| part == "*" || part == wanted);
        let [.., password] = parts;
        matches.then_some(password)
    })
}

/// The five parts of a line; a backslash takes the next character as it is.
fn parts(line: &str) -> Option<[String; 5]> {
    let mut parts: [String; 5] = Default::default();
    let (mut at, mut chars) = (0, line.chars());
    while let Some(char) = chars.next() {
        match char {
            '\\' => parts[at].push(chars.next()?),
            // the password is the rest of the line
            ':' if at < 4 => at += 1,
            char => parts[at].push(char),
        }
    }
    (at == 4).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_is_that_of_the_first_line_that_matches() {
        let file =
            "# a comment\nbroken\ndb.example:5432:taxes:clerk:one\n*:*:taxes:clerk:t\\:w\\\\o\n*:5433:*:*:three:3\n";
        let of = |host, port, database, user| password(file, host, port, database, user);
        assert_eq!(of("db.example", 5432, "taxes", "clerk").as_deref(), Some("one"));
        assert_eq!(of("other", 5432, "taxes", "clerk").as_deref(), Some("t:w\\o"));
        assert_eq!(of("other", 5433, "a", "b").as_deref(), Some("three:3"));
        assert_eq!(of("other", 1, "a", "b"), None);
    }
}
