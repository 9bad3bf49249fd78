//! Who may ask what. Nobody may ask anything until a rule says so.

use std::net::Ipv6Addr;

use wire::Prefix;
use wire::leasequery::QueryType;

/// Lets the requestors of a range ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The address range, compared with the source of the connection or datagram.
    pub from: Prefix,
    /// What they may ask by; `None` is everything.
    pub queries: Option<Vec<QueryType>>,
}

/// All rules together: what one of them lets pass, passes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access(Vec<Rule>);

impl Access {
    /// Takes the rules of a configuration.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    /// Whether this source may ask anything at all.
    pub fn permits_source(&self, source: Ipv6Addr) -> bool {
        self.rules_for(source).next().is_some()
    }

    /// Whether this source may ask by this. A type that nobody knows is as good as any: its answer
    /// gives nothing away.
    pub fn permits(&self, source: Ipv6Addr, query_type: QueryType) -> bool {
        let known = (QueryType::BY_ADDRESS..=QueryType::BY_REMOTE_ID).contains(&query_type);
        self.rules_for(source)
            .any(|rule| !known || rule.queries.as_ref().is_none_or(|queries| queries.contains(&query_type)))
    }

    fn rules_for(&self, source: Ipv6Addr) -> impl Iterator<Item = &Rule> {
        self.0.iter().filter(move |rule| rule.from.contains(source))
    }
}
