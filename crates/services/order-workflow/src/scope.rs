//! [`Scope`]: what a handler of an order needs to talk to the other services.

use delivery::DeliveryManagerClient;
use durable::{Trace, Traced};
use order_status::{Change, OrderStatusServiceClient};
use restate_sdk::context::{CallFuture, Request};
use restate_sdk::prelude::*;
use restate_sdk::serde::{Deserialize, Serialize};

/// State key of the order.
pub(crate) const ORDER: &str = "order";
/// The promise that is resolved when the order is cancelled from outside.
pub(crate) const CANCELLED: &str = "cancelled";

/// The handler that acts for an order.
#[derive(Clone, Copy)]
pub(crate) enum Handler<'ctx> {
    Run(&'ctx WorkflowContext<'ctx>),
    Settle(&'ctx SharedWorkflowContext<'ctx>),
}

/// The context of a handler, the id of its order, and the trace that its calls belong to.
pub(crate) struct Scope<'ctx> {
    pub(crate) handler: Handler<'ctx>,
    /// The key of the order's workflow, status and delivery.
    key: &'ctx str,
    trace: Trace,
}

impl<'ctx> Scope<'ctx> {
    pub(crate) fn of_run(ctx: &'ctx WorkflowContext<'ctx>, trace: Trace) -> Self {
        Self {
            handler: Handler::Run(ctx),
            key: ctx.key(),
            trace,
        }
    }

    pub(crate) fn of_settle(ctx: &'ctx SharedWorkflowContext<'ctx>) -> Self {
        Self {
            handler: Handler::Settle(ctx),
            key: ctx.key(),
            trace: Trace::of(ctx),
        }
    }

    pub(crate) fn status(&self) -> OrderStatusServiceClient<'ctx> {
        match self.handler {
            Handler::Run(ctx) => ctx.object_client(self.key),
            Handler::Settle(ctx) => ctx.object_client(self.key),
        }
    }

    pub(crate) fn delivery(&self) -> DeliveryManagerClient<'ctx> {
        match self.handler {
            Handler::Run(ctx) => ctx.object_client(self.key),
            Handler::Settle(ctx) => ctx.object_client(self.key),
        }
    }

    pub(crate) fn call<Req, Res>(
        &self,
        request: Request<'ctx, Req, Res>,
    ) -> impl CallFuture<Response = Res> + Send + use<'ctx, Req, Res>
    where
        Req: Serialize + 'static,
        Res: Deserialize + 'static,
    {
        request.traced(self.trace).call()
    }

    pub(crate) fn send<Req: Serialize + 'static, Res>(&self, request: Request<'ctx, Req, Res>) {
        request.traced(self.trace).send();
    }

    /// Sends a change of the order's status.
    pub(crate) fn send_change(&self, change: Change) {
        self.send(self.status().set_status(Json(change)));
    }
}
