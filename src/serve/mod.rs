//! The moderation service.

pub mod feedback;
pub mod policy;
