import ClusterModel
package import ClusterStore
package import Logging
package import NetTypes

/// Keeps the store's pods as the containers of a compose project are, by asking the engine's resolver again and again.
///
/// A container that stops, or is scaled away, leaves the resolver's answer at once. A paused one stays; that it serves
/// nobody is for readiness probes to find out. While the resolver does not answer, everything stays as it was.
package struct ReplicaWatcher: Sendable {
    /// Between two looks.
    private static let interval = Duration.milliseconds(250)
    /// Names of known addresses are asked for again after so many looks, as an address may pass to another container.
    private static let namesLast = 8
    /// An address that has no name for so many looks is a pod named after it.
    private static let patience = 8

    private let store: Store
    private let resolver: EngineResolver
    private let nodeName: String
    private let families: [IPFamily]
    private let logger: Logger

    /// - Parameter families: of the addresses that pods can have.
    package init(store: Store, resolver: EngineResolver, nodeName: String, families: [IPFamily], logger: Logger) {
        self.store = store
        self.resolver = resolver
        self.nodeName = nodeName
        self.families = families
        self.logger = logger
    }

    /// Runs until the task is cancelled.
    ///
    /// - Parameter onProblems: what does not work now, in sentences; called after each look.
    package func run(onProblems: @Sendable ([String]) -> Void) async {
        var known: [ObjectKey: [Replica]] = [:]
        var names = KnownNames()
        var look = 0
        while !Task.isCancelled {
            if look % Self.namesLast == 0 { names.pointers = [:] }
            look += 1
            var problems: [String] = []
            var wanted: [ReplicaPlan.Wanted] = []
            names.seen = []
            for template in store.list(.podtemplates).items {
                guard let service = template.annotations[ReplicaPlan.serviceAnnotation] else { continue }
                do {
                    let replicas = try await replicas(of: service, &names)
                    if let before = known[template.key], before != replicas { look = 0 }
                    known[template.key] = replicas
                } catch {
                    problems.append("the containers of compose service \(service) cannot be found: \(error)")
                }
                wanted.append(
                    ReplicaPlan.Wanted(template: template, service: service, replicas: known[template.key] ?? []))
            }
            if problems.isEmpty { names.forgetOthers() }
            if !Task.isCancelled { problems += apply(wanted) }
            onProblems(problems)
            try? await Task.sleep(for: Self.interval)
        }
    }

    private func replicas(of service: String, _ names: inout KnownNames) async throws -> [Replica] {
        var own: [IPAddress: [String]] = [:]
        for address in try await resolver.addresses(of: service + ".", families: families) {
            names.seen.insert(address)
            if names.pointers[address] == nil {
                let found = try await resolver.pointers(of: address)
                // An engine forgets the name of a container that is stopping before it forgets the address.
                if found.isEmpty, names.looksInVain[address, default: 0] < Self.patience {
                    names.looksInVain[address, default: 0] += 1
                    continue
                }
                names.pointers[address] = found
            }
            own[address] = names.pointers[address]
        }
        return Replica.replicas(of: service, own)
    }

    /// - Returns: what the store refused.
    private func apply(_ wanted: [ReplicaPlan.Wanted]) -> [String] {
        var problems: [String] = []
        for change in ReplicaPlan.changes(to: store.list(.pods).items, for: wanted, nodeName: nodeName) {
            do throws(APIError) {
                switch change {
                case .create(let pod):
                    _ = try store.create(pod)
                    logger.notice("container appeared", metadata: ["pod": "\(pod.namespace)/\(pod.name)"])
                case .delete(let key):
                    _ = try store.delete(key, gracePeriod: 0)
                    logger.notice("container is gone", metadata: ["pod": "\(key.namespace)/\(key.name)"])
                }
            } catch {
                if error.reason != .notFound { problems.append("\(error.message)") }
            }
        }
        return problems
    }
}

/// What is known of addresses' names.
private struct KnownNames {
    var pointers: [IPAddress: [String]] = [:]
    var looksInVain: [IPAddress: Int] = [:]
    /// The addresses of the last look.
    var seen: Set<IPAddress> = []

    mutating func forgetOthers() {
        pointers = pointers.filter { seen.contains($0.key) }
        looksInVain = looksInVain.filter { seen.contains($0.key) && pointers[$0.key]?.isEmpty != false }
    }
}
