//! Recovery: what is asked, what is made of the answers, and what follows when there is none.

mod asking;
mod epochs;
mod kit;
mod methods;
mod placing;
