//! What the field asks of the service, whether it is reached over HTTP or sits in this process.

use greenkerb_models::detection::{Observation, Picture};
use greenkerb_models::network::Network;

use crate::client::{Accepted, Client, ClientError, DetectorReport, Known, PictureReport, Polled};
use crate::field::Acknowledgement;

/// The service as the field sees it.
pub trait Service: std::fmt::Debug {
    /// The controllers it knows.
    ///
    /// # Errors
    /// [`ClientError`].
    fn controllers(&mut self) -> Result<Vec<Known>, ClientError>;

    /// Takes what detectors of `network` say and what is seen of its junctions. The same batch under the same key counts
    /// once.
    ///
    /// # Errors
    /// [`ClientError`].
    fn observe(
        &mut self,
        network: &Network,
        told: &[Observation],
        pictures: &[Picture],
        key: &str,
    ) -> Result<Accepted, ClientError>;

    /// Answers a controller that has seen the timing with this tag.
    ///
    /// # Errors
    /// [`ClientError`].
    fn poll(&mut self, controller: &str, etag: Option<&str>) -> Result<Polled, ClientError>;

    /// Hears how far an order has come.
    ///
    /// # Errors
    /// [`ClientError`].
    fn acknowledge(&mut self, controller: &str, told: &Acknowledgement) -> Result<(), ClientError>;

    /// Wall time of every decision, in seconds, where that can be told.
    fn solver_times_s(&self) -> &[f64] {
        &[]
    }
}

impl Service for Client {
    fn controllers(&mut self) -> Result<Vec<Known>, ClientError> {
        Self::controllers(self)
    }

    fn observe(
        &mut self,
        network: &Network,
        told: &[Observation],
        pictures: &[Picture],
        key: &str,
    ) -> Result<Accepted, ClientError> {
        let reports: Vec<DetectorReport<'_>> = told.iter().map(|o| DetectorReport::of(network, o)).collect();
        let pictures: Vec<PictureReport> = pictures.iter().map(|p| PictureReport::of(network, p)).collect();
        Self::observe(self, &reports, &pictures, key)
    }

    fn poll(&mut self, controller: &str, etag: Option<&str>) -> Result<Polled, ClientError> {
        Self::poll(self, controller, etag)
    }

    fn acknowledge(&mut self, controller: &str, told: &Acknowledgement) -> Result<(), ClientError> {
        Self::acknowledge(self, controller, told)
    }
}
