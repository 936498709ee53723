#if os(Linux)
package import ClusterModel
import Glibc
package import Logging
import NetTypes
import Synchronization

/// Runs pods as processes of this machine: what the kubelet is to a node.
///
/// One task, ``run()``, owns all state and takes events in order: pods that appear and go, processes that start and
/// end, probe results and deadlines. Decisions are ``PodMachine``'s.
package final class PodRuntime: Sendable {
    enum Event: Sendable {
        case pod(Pod)
        case removed(ObjectKey)
        case machine(ObjectKey, uid: String, PodMachine.Event)
        /// A ConfigMap or Secret of a namespace has changed.
        case settings(namespace: String, ContainerSpec.Settings)
        case exec(ObjectKey, container: String, ExecRequest)
        case attach(ObjectKey, container: String, AttachRequest)
        case deadline
        case stop(grace: Duration)
    }

    private let configuration: PodRuntimeConfiguration
    private let observer: any PodRuntimeObserver
    private let logger: Logger
    private let events: AsyncStream<Event>
    let inbox: AsyncStream<Event>.Continuation

    package init(_ configuration: PodRuntimeConfiguration, observer: any PodRuntimeObserver, logger: Logger) {
        self.configuration = configuration
        self.observer = observer
        self.logger = logger
        (events, inbox) = AsyncStream.makeStream()
    }

    /// A pod has appeared or changed.
    ///
    /// Once it has a deletionTimestamp it is ended within its grace period.
    package func set(_ pod: Pod) { inbox.yield(.pod(pod)) }

    /// A pod is gone from the store: whatever still runs of it is killed.
    package func remove(_ key: ObjectKey) { inbox.yield(.removed(key)) }

    /// A ConfigMap or Secret has changed, come or gone: files made from it are written again.
    package func settingsChanged(_ settings: ContainerSpec.Settings, namespace: String) {
        inbox.yield(.settings(namespace: namespace, settings))
    }

    /// Runs a program beside a container, with its environment and files.
    ///
    /// The request hears of everything that becomes of it.
    package func exec(_ request: ExecRequest, in key: ObjectKey, container: String) {
        inbox.yield(.exec(key, container: container, request))
    }

    /// Joins the streams of a container that runs.
    package func attach(_ request: AttachRequest, to key: ObjectKey, container: String) {
        inbox.yield(.attach(key, container: container, request))
    }

    /// Ends all pods, each within its own grace period but none later than `grace`; then ``run()`` returns.
    ///
    /// Called again it only shortens the time.
    package func stop(grace: Duration) { inbox.yield(.stop(grace: grace)) }

    /// Runs until ``stop(grace:)`` is done.
    ///
    /// A cancelled task kills all pods at once.
    package func run() async {
        let host = ProcessHost()
        var allocators: [String: PodAddressAllocator] = [:]
        for node in configuration.nodes {
            guard let allocator = PodAddressAllocator(node.podRange) else {
                logger.error("the pod range is too small", metadata: ["range": "\(node.podRange)"])
                return
            }
            allocators[node.name] = allocator
        }
        let isolation = await Isolation.best(of: configuration, on: host, logger: logger)
        var state = RuntimeState(
            configuration: configuration, observer: observer, logger: logger, host: host, isolation: isolation,
            allocators: allocators, inbox: inbox)
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                for await event in events {
                    state.take(event, in: &group)
                    if state.isDone { break }
                }
                group.cancelAll()
            }
        } onCancel: {
            inbox.yield(.stop(grace: .zero))
        }
        host.stop()
    }
}
#endif
