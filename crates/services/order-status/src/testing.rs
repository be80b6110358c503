//! For the tests of every crate with durable services.

use restate_sdk::discovery::Service;

/// What a service is called on the wire, and after it each handler, with a mark on those that no one outside may call.
#[must_use]
pub fn wire_names(service: &Service) -> Vec<String> {
    let handlers = service.handlers.iter().map(|handler| {
        let private = handler.ingress_private == Some(true);
        format!(
            "{}{}",
            handler.name.as_str(),
            if private { " (private)" } else { "" }
        )
    });
    std::iter::once(service.name.to_string())
        .chain(handlers)
        .collect()
}
