//! What the JSON reader says of a text, in our words: which field it is about, and no place that stands elsewhere in our
//! messages.

use serde::de::{DeserializeOwned, Deserializer};

/// What was wrong, after the field it was wrong with; nothing before it at the outermost value.
pub(super) fn reason<'de, T: DeserializeOwned>(again: impl Deserializer<'de>, e: &serde_json::Error) -> String {
    let said = e.to_string();
    let place = format!(" at line {} column {}", e.line(), e.column());
    let said = said.strip_suffix(&place).unwrap_or(&said);
    if !e.is_data() {
        return said.to_owned();
    }
    // Reading once more, with an eye on the way through the value, is only done for what is wrong.
    match serde_path_to_error::deserialize::<_, T>(again).map_err(|e| e.path().to_string()) {
        Err(field) if field != "." && !field.ends_with('?') => format!("{field}: {said}"),
        _ => said.to_owned(),
    }
}
