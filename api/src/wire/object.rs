//! Reading what has the shape of an object.

use serde::Deserialize;
use serde::de::Error as _;

/// Reads a JSON object.
///
/// serde takes an array for a struct as well, its items for the fields in the order in which we happen to declare them.
/// That is no shape of this wire.
///
/// # Errors
/// serde's, with the place in the text.
pub fn read_object<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, serde_json::Error> {
    if text.trim_ascii_start().first() == Some(&b'[') {
        return Err(serde_json::Error::custom("expected an object, found an array"));
    }
    serde_json::from_slice(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Pair {
        a: u8,
        b: u8,
    }

    #[test]
    fn an_object_is_no_array() {
        assert_eq!(read_object::<Pair>(b" {\"b\":2,\"a\":1}").unwrap(), Pair { a: 1, b: 2 });
        let refused = read_object::<Pair>(b"\n[1,2]").unwrap_err().to_string();
        assert!(refused.contains("array"), "{refused}");
        assert!(read_object::<Pair>(b"").is_err());
    }
}
