//! The controllers together, on worlds with instances and time driven by hand.

mod lab;
mod pod_eni;
mod workloads;
