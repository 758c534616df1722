//! What a request meets first: a plain poll is answered at once, everything else goes through the router.
//!
//! Controllers poll every second and almost all requests are theirs. The router's way (matching, boxed services, extracted
//! parts) costs a poll more than its answer does.

use std::convert::Infallible;
use std::future::{Ready, ready};

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response};
use axum::routing::future::RouteFuture;
use futures_util::future::Either;
use hyper::body::Incoming;
use hyper::service::Service as HyperService;
use tower::Service as _;

use super::{App, timing};

/// The service as connections see it.
#[derive(Debug, Clone)]
pub(crate) struct Front {
    app: App,
    router: Router,
}

impl Front {
    /// In front of this router.
    pub(crate) fn new(app: App) -> Self {
        Self { router: super::router(app.clone()), app }
    }

    /// The answer to a poll that neither waits nor errs; of all others the router knows better.
    fn poll<B>(&self, request: &Request<B>) -> Option<Response<Body>> {
        let uri = request.uri();
        if request.method() != Method::GET || uri.query().is_some() {
            return None;
        }
        let name = uri.path().strip_prefix("/v1/controllers/")?.strip_suffix("/timing")?;
        let id = self.app.shared.network.controller_named(name)?;
        timing::now(&self.app, id, request.headers())
    }
}

impl HyperService<Request<Incoming>> for Front {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response<Body>, Infallible>>, RouteFuture<Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        match self.poll(&request) {
            Some(answer) => Either::Left(ready(Ok(answer))),
            None => Either::Right(self.router.clone().call(request)),
        }
    }
}
