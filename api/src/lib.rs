//! The Greenkerb service: observations in over HTTP, validated plans out, and the command line around it.
//!
//! | module | holds |
//! | --- | --- |
//! | [`wire`] | what travels, versioned apart from the domain |
//! | [`engine`] | the one optimizer, the gate for observations, what is published |
//! | [`store`] | what survives a crash |
//! | [`http`] | one file a resource |
//! | [`web`] | the status page |
//! | [`cli`] | the subcommands |

pub mod cli;
mod descriptors;
pub mod engine;
pub mod http;
pub mod service;
pub mod settings;
pub mod store;
pub mod web;
pub mod wire;
