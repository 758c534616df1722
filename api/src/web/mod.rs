//! The status page, as it is compiled into the program.

/// The page.
pub const INDEX: &str = include_str!("index.html");
/// Its script.
pub const SCRIPT: &str = include_str!("app.js");
/// Its style.
pub const STYLE: &str = include_str!("style.css");
