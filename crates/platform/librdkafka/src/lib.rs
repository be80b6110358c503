//! Two functions of librdkafka that `rdkafka` does not expose.
//!
//! This is the only crate of the workspace with unsafe code. It contains nothing but calls into the C library.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr::NonNull;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::client::Client;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::metadata::MetadataBroker;
use rdkafka_sys as sys;
use rdkafka_sys::{RDKafkaErrorCode, RDKafkaRespErr};

/// The ids that brokers assign to topics when they are created (KIP-516). A topic that was deleted and created again has a new id.
///
/// Topics that do not exist are left out. The result is empty if the broker does not support topic ids, as in Apache Kafka before
/// 2.8. Blocks for up to `timeout`.
pub fn topic_ids<C: ClientContext>(
    client: &Client<C>,
    topics: &[&str],
    timeout: Duration,
) -> KafkaResult<BTreeMap<String, String>> {
    // Any broker can answer. Unless one is chosen, librdkafka waits for the controller, which a mock cluster does not have.
    let metadata = client.fetch_metadata(None, timeout)?;
    let broker = metadata.brokers().first().map(MetadataBroker::id);
    let broker = broker.ok_or(KafkaError::Global(RDKafkaErrorCode::AllBrokersDown))?;
    let rk = client.native_ptr();
    let names = (topics.iter())
        .map(|name| CString::new(*name))
        .collect::<Result<Vec<_>, _>>()?;
    let mut names: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    let timeout_ms = c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX);
    // SAFETY: `rk` lives as long as `client`; the pointers in `names` are valid here, and librdkafka copies the strings.
    let (queue, options, collection) = unsafe {
        (
            Owned::new(sys::rd_kafka_queue_new(rk), sys::rd_kafka_queue_destroy)?,
            Owned::new(
                sys::rd_kafka_AdminOptions_new(
                    rk,
                    sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS,
                ),
                sys::rd_kafka_AdminOptions_destroy,
            )?,
            Owned::new(
                sys::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len()),
                sys::rd_kafka_TopicCollection_destroy,
            )?,
        )
    };
    // SAFETY: all pointers are valid; the buffer for the error text may be null if its size is 0.
    let event = unsafe {
        let (text, size) = (std::ptr::null_mut(), 0);
        let options = options.get();
        check(sys::rd_kafka_AdminOptions_set_request_timeout(
            options, timeout_ms, text, size,
        ))?;
        check(sys::rd_kafka_AdminOptions_set_broker(
            options, broker, text, size,
        ))?;
        sys::rd_kafka_DescribeTopics(rk, collection.get(), options, queue.get());
        sys::rd_kafka_queue_poll(queue.get(), timeout_ms)
    };
    let timed_out = KafkaError::Global(RDKafkaErrorCode::OperationTimedOut);
    // SAFETY: this function owns the event and must destroy it.
    let event = unsafe { Owned::new(event, sys::rd_kafka_event_destroy) }.map_err(|_| timed_out)?;
    // SAFETY: the event is alive.
    check(unsafe { sys::rd_kafka_event_error(event.get()) })?;
    // SAFETY: the result's contents live as long as the event, and everything is copied before the event is destroyed.
    unsafe {
        let result = sys::rd_kafka_event_DescribeTopics_result(event.get());
        if result.is_null() {
            return Err(KafkaError::Global(RDKafkaErrorCode::BadMessage));
        }
        let mut count = 0;
        let first = sys::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        Ok((0..count)
            .filter_map(|n| described(*first.add(n)))
            .collect())
    }
}

/// The name and the id of one topic.
///
/// # Safety
/// `topic` must belong to a result that is still alive.
unsafe fn described(topic: *const sys::rd_kafka_TopicDescription_t) -> Option<(String, String)> {
    // SAFETY: the caller guarantees that `topic` is valid; the strings are zero-terminated and live as long as the description.
    unsafe {
        let error = sys::rd_kafka_TopicDescription_error(topic);
        if !error.is_null()
            && sys::rd_kafka_error_code(error) != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR
        {
            return None;
        }
        let id = sys::rd_kafka_TopicDescription_topic_id(topic);
        let no_id = sys::rd_kafka_Uuid_most_significant_bits(id) == 0
            && sys::rd_kafka_Uuid_least_significant_bits(id) == 0;
        let text = |text: *const c_char| CStr::from_ptr(text).to_string_lossy().into_owned();
        (!no_id).then(|| {
            (
                text(sys::rd_kafka_TopicDescription_name(topic)),
                text(sys::rd_kafka_Uuid_base64str(id)),
            )
        })
    }
}

/// Sets how long the mock cluster of `client` (`test.mock.num.brokers`) waits for more members when the first one joins a
/// consumer group; 3 s unless set. Does nothing if `client` has no mock cluster.
pub fn set_initial_rebalance_delay<C: ClientContext>(client: &Client<C>, delay: Duration) {
    let delay = i32::try_from(delay.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the client's mock cluster lives as long as the client; the call takes the cluster's own lock.
    unsafe {
        let cluster = sys::rd_kafka_handle_mock_cluster(client.native_ptr());
        if !cluster.is_null() {
            sys::rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, delay);
        }
    }
}

fn check(code: RDKafkaRespErr) -> KafkaResult<()> {
    match code {
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
        code => Err(KafkaError::Global(code.into())),
    }
}

/// An object of librdkafka that is destroyed on drop.
struct Owned<T> {
    pointer: NonNull<T>,
    destroy: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// # Safety
    /// `pointer` must be null, or a pointer with which `destroy` may be called once.
    unsafe fn new(pointer: *mut T, destroy: unsafe extern "C" fn(*mut T)) -> KafkaResult<Self> {
        let failed = KafkaError::Global(RDKafkaErrorCode::Fail);
        let pointer = NonNull::new(pointer).ok_or(failed)?;
        Ok(Self { pointer, destroy })
    }

    fn get(&self) -> *mut T {
        self.pointer.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: guaranteed by the caller of `new`; nothing else destroys the object.
        unsafe { (self.destroy)(self.get()) }
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::ClientConfig;
    use rdkafka::producer::{BaseProducer, Producer};

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn topics_have_distinct_and_stable_ids() {
        let producer: BaseProducer = ClientConfig::new()
            .set("test.mock.num.brokers", "1")
            .create()
            .expect("a producer");
        let cluster = producer.client().mock_cluster().expect("a mock cluster");
        for topic in ["orders", "order-status"] {
            cluster.create_topic(topic, 1, 1).expect("a topic");
        }
        let ids = || topic_ids(producer.client(), &["orders", "order-status"], SOON).expect("ids");
        let first = ids();
        assert_eq!(first.len(), 2, "{first:?}");
        assert_ne!(first["orders"], first["order-status"]);
        assert_eq!(ids(), first);
    }

    #[test]
    fn a_broker_that_does_not_answer_is_an_error() {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", "127.0.0.1:9")
            .create()
            .expect("a producer");
        let asked = topic_ids(producer.client(), &["orders"], Duration::from_millis(200));
        assert!(asked.is_err(), "{asked:?}");
    }
}
