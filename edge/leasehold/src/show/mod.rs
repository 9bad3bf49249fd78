//! `leasehold show`: what a running server or relay knows, asked on its control socket.
//!
//! Each thing that can be shown has a file that says what stands in its table; how it becomes a
//! table, JSON or lines is the same for all of them (`output.rs`). What comes is printed as it
//! comes.

mod bindings;
mod counters;
mod delegations;
mod links;
mod output;
mod queries;
mod relay;
mod routes;
mod servers;
mod told;

use std::process::ExitCode;

use crate::control::{
    self, Answers, Client, Delegation, DelegationFilter, Failure, Filter, Place, RelayStatus, Request,
    RouteFilter, RouteState, State, Told,
};

pub use output::Format;

/// What the exit codes of commands on the control socket mean: as those of `query`.
pub const EXIT_CODES: &str = "Exit codes: 0 complete, even if nothing was found; 1 usage; 2 partial; \
                              3 refused; 4 unreachable, or not permitted";

/// What the command line says.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum What {
    /// Of a server: leases, and whose they are; all, or those for which all holds that is said
    #[command(after_help = EXIT_CODES)]
    Bindings {
        #[command(flatten)]
        filter: Filter,
        /// Leases in this state; may be repeated
        #[arg(long = "state", value_name = "STATE", value_enum, value_delimiter = ',')]
        states: Vec<State>,
        #[command(flatten)]
        how: How,
    },
    /// Of a server: links, and how much of their pools is held
    #[command(after_help = EXIT_CODES)]
    Links(How),
    /// Of a server: leasequeries, connections, what is being answered on them, and what was answered last
    #[command(after_help = EXIT_CODES)]
    Queries(How),
    /// Of a server: messages, discards, queries, connections, octets, sockets
    #[command(after_help = EXIT_CODES)]
    Counters(How),
    /// Of a relay: whether it has all its delegations back, how many there are, and what it has forwarded
    #[command(after_help = EXIT_CODES)]
    Relay(How),
    /// Of a relay: prefixes and addresses delegated through it, and to whom; all, or those for which
    /// all holds that is said
    #[command(after_help = EXIT_CODES)]
    Delegations {
        #[command(flatten)]
        filter: DelegationFilter,
        /// Delegations whose route is in this state; may be repeated
        #[arg(long = "state", value_name = "STATE", value_enum, value_delimiter = ',')]
        states: Vec<RouteState>,
        /// Instead, leases that servers have told of and whose place here is not known
        #[arg(long, conflicts_with_all = ["states", "interface"])]
        unplaced: bool,
        #[command(flatten)]
        how: How,
    },
    /// Of a relay: its routes, and what has become of them; all, or those for which all holds that is said
    #[command(after_help = EXIT_CODES)]
    Routes {
        #[command(flatten)]
        filter: RouteFilter,
        /// Routes in this state; may be repeated
        #[arg(long = "state", value_name = "STATE", value_enum, value_delimiter = ',')]
        states: Vec<RouteState>,
        #[command(flatten)]
        how: How,
    },
    /// Of a relay: its servers, and how asking them goes
    #[command(after_help = EXIT_CODES)]
    Servers(How),
}

#[derive(Debug, Clone, clap::Args)]
struct How {
    #[command(flatten)]
    place: Place,
    /// How to print [default: table on a terminal, json otherwise]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// Runs the command.
pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.what {
        What::Bindings { filter, states, how: How { place, format } } => {
            let request = Request::Bindings(Filter { states, ..filter });
            print_clients(control::ask(&place.socket()?, &request), format)
        }
        What::Links(How { place, format }) => {
            output::print(control::ask(&place.socket()?, &Request::Links), format, &links::FORM)
        }
        What::Queries(How { place, format }) => {
            output::print(control::ask(&place.socket()?, &Request::Queries), format, &queries::FORM)
        }
        What::Counters(How { place, format }) => {
            output::print(control::ask(&place.socket()?, &Request::Counters), format, &counters::FORM)
        }
        What::Relay(How { place, format }) => {
            output::print(control::ask(&place.socket()?, &Request::Relay), format, &relay::FORM)
        }
        What::Delegations { filter, unplaced: true, how: How { place, format }, .. } => {
            let request = Request::Unplaced(filter);
            output::print(control::ask(&place.socket()?, &request), format, &delegations::UNPLACED)
        }
        What::Delegations { filter, states, how: How { place, format }, .. } => {
            let request = Request::Delegations(DelegationFilter { states, ..filter });
            print_delegations(control::ask(&place.socket()?, &request), format)
        }
        What::Routes { filter, states, how: How { place, format } } => {
            let request = Request::Routes(RouteFilter { states, ..filter });
            output::print(control::ask(&place.socket()?, &request), format, &routes::FORM)
        }
        What::Servers(How { place, format }) => {
            output::print(control::ask(&place.socket()?, &Request::Servers), format, &servers::FORM)
        }
    }
}

/// Prints clients and their leases.
pub(crate) fn print_clients(
    answers: Result<Answers<Client>, Failure>,
    format: Option<Format>,
) -> anyhow::Result<ExitCode> {
    output::print(answers, format, &bindings::FORM)
}

/// Prints clients, and what has become of them.
pub(crate) fn print_told(
    answers: Result<Answers<Told>, Failure>,
    format: Option<Format>,
) -> anyhow::Result<ExitCode> {
    output::print(answers, format, &told::FORM)
}

/// Prints what is delegated.
pub(crate) fn print_delegations(
    answers: Result<Answers<Delegation>, Failure>,
    format: Option<Format>,
) -> anyhow::Result<ExitCode> {
    output::print(answers, format, &delegations::FORM)
}

/// Prints how a relay is.
pub(crate) fn print_status(status: &RelayStatus, format: Option<Format>) -> anyhow::Result<()> {
    output::print_one(status, format, &relay::FORM)
}
