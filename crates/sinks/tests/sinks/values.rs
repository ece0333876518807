//! Values in their types: sums are those of the decimals in `OUT.csv`, in the table of all fields and in the views of forms.

use std::collections::{BTreeMap, HashSet};

use formread_core::{Decimal, form::FieldKind};
use formread_sinks::Permissions;
use parquet::{
    file::{reader::FileReader, serialized_reader::SerializedFileReader},
    record::Field,
};

use super::{Kind, Place, server, tables::Run};

/// Sums of amounts in units of a ten-thousandth, by form and field, and how many values there are.
type Sums = BTreeMap<(String, String), (i128, i64)>;

/// Of every page, or of each content once.
fn sums(run: &Run, once: bool) -> Sums {
    let mut sums = Sums::new();
    let mut seen = HashSet::new();
    for file in &run.files {
        if once && file.content.as_ref().is_some_and(|content| !seen.insert(content.clone())) {
            continue;
        }
        for page in &file.pages {
            let Some(template) = run.templates.iter().find(|template| template.name == page.form) else { continue };
            for row in page.fields.iter().filter(|row| row.state == "accepted") {
                let field = template.fields.iter().find(|field| field.name == row.field).expect("the form has it");
                let FieldKind::Amount { .. } = field.kind else { continue };
                let Decimal { units, decimals } = Decimal::parse(&row.value).expect("it is an amount");
                let (sum, n) = sums.entry((page.form.clone(), row.field.clone())).or_default();
                *sum += units * 10i128.pow(4 - u32::from(decimals));
                *n += 1;
            }
        }
    }
    sums
}

/// A decimal number as PostgreSQL prints it, in ten-thousandths.
fn ten_thousandths(text: &str) -> i128 {
    let Decimal { units, decimals } = Decimal::parse(text).unwrap_or_else(|| panic!("a decimal number: {text}"));
    units * 10i128.pow(4 - u32::from(decimals))
}

/// What the view calls a field, whose long names it shortens, by its end.
fn view_columns(run: &Run, form: &str) -> Vec<String> {
    let template = run.templates.iter().find(|template| template.name == form).expect("it has a template");
    template.fields.iter().map(|field| field.name.clone()).collect()
}

pub fn sums_of_amounts_are_those_of_the_decimals(kind: Kind) {
    let place = Place::new(kind);
    let run = Run::by_chance(13, 12, 300);
    place.load(&run, Permissions::default()).expect("it can be written");
    let (once, all) = (sums(&run, true), sums(&run, false));
    assert!(once.len() > 10 && all != once, "there are copies");
    match kind {
        Kind::Sqlite => sqlite_sums(&place, &once, &all),
        Kind::Postgres => postgres_sums(&place, &run, &once, &all),
        Kind::Parquet => parquet_sums(&place, &run, &all),
    }
}

fn sqlite_sums(place: &Place, once: &Sums, all: &Sums) {
    let connection = rusqlite::Connection::open(&place.text).expect("it is a database");
    let by_field = "SELECT p.form, f.field, sum(f.units), count(f.units), k.decimals FROM fields f JOIN pages p USING (sha256, page) \
                    JOIN form_fields k ON k.form = p.form AND k.field = f.field {JOIN} WHERE k.kind = 'amount' AND f.units IS NOT NULL \
                    GROUP BY 1, 2";
    for (join, want) in [("", once), ("JOIN scans s ON s.sha256 = p.sha256", all)] {
        let mut statement = connection.prepare(&by_field.replace("{JOIN}", join)).expect("it is SQL");
        let rows = statement.query_map([], |row| {
            let (sum, decimals): (i64, u32) = (row.get(2)?, row.get(4)?);
            Ok(((row.get(0)?, row.get(1)?), (i128::from(sum) * 10i128.pow(4 - decimals), row.get(3)?)))
        });
        let found: Sums = rows.expect("it is SQL").collect::<Result<_, _>>().expect("every column has its type");
        // amounts of more than 18 digits are texts
        let small: Sums =
            want.iter().filter(|(key, _)| found.contains_key(*key)).map(|(k, v)| (k.clone(), *v)).collect();
        assert_eq!(found, small);
        assert!(found.len() * 2 > want.len());
    }
    let strict: i64 = connection
        .query_row(
            "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 1",
            [],
            |row| row.get(0),
        )
        .expect("it is SQL");
    assert_eq!(strict, 7, "every table checks its types");
    connection.execute("UPDATE fields SET units = 1.5", []).expect_err("a fraction is no number of cents");
    connection.execute("UPDATE fields SET value = guess WHERE state = 'review'", []).expect_err("a guess is no value");
}

fn postgres_sums(place: &Place, run: &Run, once: &Sums, all: &Sums) {
    let server = server();
    let by_field = "SELECT p.form, f.field, sum(f.number), count(f.number) FROM formread.fields f JOIN formread.pages p USING (sha256, page) \
                    JOIN formread.form_fields k ON k.form = p.form AND k.field = f.field {JOIN} WHERE k.kind = 'amount' AND f.number IS NOT NULL \
                    GROUP BY 1, 2";
    for (join, want) in [("", once), ("JOIN formread.scans s ON s.sha256 = p.sha256", all)] {
        let text = server.sql(&place.text, &by_field.replace("{JOIN}", join));
        let found: Sums = text
            .lines()
            .map(|line| {
                let cells: Vec<&str> = line.split('|').collect();
                (
                    (cells[0].to_owned(), cells[1].to_owned()),
                    (ten_thousandths(cells[2]), cells[3].parse().expect("a count")),
                )
            })
            .collect();
        assert_eq!(&found, want);
    }
    // a view has the same, in a column of its type
    for ((form, field), (sum, n)) in once.iter().filter(|((_, field), _)| field.starts_with("Field_")) {
        assert!(view_columns(run, form).contains(field));
        let text = server.sql(
            &place.text,
            &format!(
                "SELECT sum(\"{field}\"), count(\"{field}\"), pg_typeof(min(\"{field}\")) FROM formread.\"{form}\""
            ),
        );
        let cells: Vec<&str> = text.trim().split('|').collect();
        assert_eq!(
            (ten_thousandths(cells[0]), cells[1], cells[2]),
            (*sum, n.to_string().as_str(), "numeric"),
            "{form} {field}"
        );
    }
}

fn parquet_sums(place: &Place, run: &Run, all: &Sums) {
    let file = std::fs::File::open(&place.text).expect("it was written");
    let reader = SerializedFileReader::new(file).expect("it is a Parquet file");
    let mut found = Sums::new();
    for row in reader.get_row_iter(None).expect("it has rows") {
        let row = row.expect("it is whole");
        let cells: BTreeMap<&str, &Field> = row.get_column_iter().map(|(name, field)| (name.as_str(), field)).collect();
        let Field::Str(form) = cells["form"] else { continue };
        let template = run.templates.iter().find(|template| template.name == *form).expect("it has a template");
        for field in template.fields.iter().filter(|field| matches!(field.kind, FieldKind::Amount { .. })) {
            let (units, decimals) = match cells[field.name.as_str()] {
                Field::Decimal(number) => {
                    let bytes = number.data().try_into().expect("16 bytes");
                    (i128::from_be_bytes(bytes), u32::try_from(number.scale()).expect("it is small"))
                }
                // two forms share the name, and one has another kind
                Field::Str(text) => (ten_thousandths(text), 4),
                Field::Null => continue,
                other => panic!("{other:?}"),
            };
            let (sum, n) = found.entry((form.clone(), field.name.clone())).or_default();
            *sum += units * 10i128.pow(4 - decimals);
            *n += 1;
        }
    }
    assert_eq!(&found, all);
}
