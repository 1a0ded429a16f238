//! Mechanism, never decisions: what exists, how it carries load, and how it changes.
//!
//! | module | what it holds |
//! |---|---|
//! | [`condition`] | what is impaired at a moment |
//! | [`outlook`] | how the pace of services will change while faults come and go |
//! | [`demand`] | how many starts a market expects |
//! | [`graph`] | services and their calls; one region's flow through them |
//! | [`pool`] | a pool of slots: who waits, who is refused |
//! | [`catalogue`], [`cache`] | Zipf catalogues; caches and their warm-up |
//! | [`latency`] | response times when nobody waits |
//! | [`plan`] | what is deployed, and the load it was sized for |
//! | [`zones`], [`instances`], [`fleet`] | how many instances each zone has; how they come and go |
//! | [`region`] | a region's instances, pools and caches as they change |
//! | [`balancer`] | limits on new connections in front of the proxies |
//! | [`exchange`] | calls between regions |
//! | [`scaling`], [`launches`] | what an autoscaler wants; what the provider lets a region launch |
//! | [`lanes`] | what a policy can move, and the rest |
//! | [`links`] | links between regions that carry only so much |
//! | [`edge`] | routes on their way to the proxies, retry budgets |
//! | [`ejection`] | origins that proxies have ejected |
//! | [`reach`] | who may and can serve whom |
//! | [`state`] | all of it together at a moment |
//! | [`resolvers`], [`connections`] | the two kinds of stickiness |
//! | [`stores`] | domains of data: replication, promotion, what is lost |
//! | [`playback`] | how long a session plays without its region |

pub mod balancer;
pub mod cache;
pub mod catalogue;
pub mod condition;
pub mod connections;
pub mod demand;
pub mod doors;
pub mod edge;
pub mod ejection;
pub mod exchange;
pub mod fleet;
pub mod graph;
pub mod instances;
pub mod lanes;
pub mod latency;
pub mod launches;
pub mod links;
pub mod outlook;
pub mod plan;
pub mod playback;
pub mod pool;
pub mod reach;
pub mod region;
pub mod resolvers;
pub mod scaling;
pub mod state;
pub mod stores;
pub mod workers;
pub mod zones;
