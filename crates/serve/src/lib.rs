//! What each page of the browser needs that the program serves itself: who may enter, what is refused, and the server.
//!
//! # Invariants
//!
//! - No request for another host, and no change that another site asks for, reaches a page's own code: [`Server::run`] puts the
//!   guard before all of it.
//! - Beyond loopback it listens only behind a proxy that is named, and for people who are listed.

mod auth;
mod guard;
mod server;

pub use auth::{Auth, People};
pub use server::Server;
