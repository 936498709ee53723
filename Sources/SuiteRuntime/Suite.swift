import ClusterModel
import ClusterStore
import FoundationEssentials
import Glibc
import Logging
import Manifests
import NetTypes
import PodRuntime
import ServiceKit
import ServiceProxy
import Synchronization

/// A running suite: the service proxy, the pods, and the report of both.
package final class Suite: Sendable {
    private let configuration: SuiteConfiguration
    private let proxy: ServiceProxy
    private let runtime: PodRuntime
    private let isStopping = Mutex(false)

    /// Prepares everything that can fail at once: manifests, image map, certificate authority, rights.
    ///
    /// - Throws: ``SuiteError`` that says what is wrong and what to do.
    package init(_ configuration: SuiteConfiguration) throws(SuiteError) {
        self.configuration = configuration
        let directory = configuration.directory
        var logger = Logger(label: "kiada-suite")
        logger.logLevel = Logger.Level(rawValue: configuration.logLevel) ?? .warning
        if let problem = PrivilegedPorts.problem() { throw SuiteError(problem) }
        let images = try Self.imageMap(configuration)
        do {
            _ = try LocalCertificateAuthority.loadOrCreate(directory: directory.path)
        } catch {
            throw SuiteError("cannot make the certificate authority in \(directory.path): \(error)")
        }
        let proxyConfiguration = ServiceProxyConfiguration(
            nodeName: configuration.nodeName, manifests: configuration.manifests)
        do {
            proxy = try ServiceProxy(proxyConfiguration, logger: logger)
        } catch {
            throw SuiteError("\(error)")
        }
        let store = proxy.store
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let podConfiguration = PodRuntimeConfiguration(
            nodeName: configuration.nodeName, hostIP: proxyConfiguration.nodeAddress, stateDirectory: directory.path,
            podRange: proxyConfiguration.podRange, images: images,
            programDirectory: String(program[..<(program.lastIndex(of: "/") ?? program.startIndex)]),
            searchPath: ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
            hasNamespaces: geteuid() == 0,
            serviceVariables: { namespace, links in
                ServiceEnvironment.variables(
                    for: store.list(.services).items.map(Service.init), namespace: namespace, enableServiceLinks: links)
            },
            resolvConf: proxy.resolvConf)
        runtime = PodRuntime(podConfiguration, observer: StoreObserver(store: store, logger: logger), logger: logger)
    }

    private static func imageMap(_ configuration: SuiteConfiguration) throws(SuiteError) -> ImageMap {
        let file = configuration.images ?? "\(configuration.manifests)/local/images.yaml"
        if configuration.images == nil, !FileManager.default.fileExists(atPath: file) { return .bundled }
        do {
            return try ImageMap(try ManifestParser.parsePlain(try ManifestFolder.text(of: file), file: file))
        } catch let error as ImageMapError {
            throw SuiteError("\(file): \(error)")
        } catch {
            throw SuiteError("\(error)")
        }
    }

    /// Ends the pods in order, then the rest; called again, at once.
    package func stop() {
        let isSecond = isStopping.withLock { stopping in
            defer { stopping = true }
            return stopping
        }
        runtime.stop(grace: isSecond ? .zero : .seconds(30))
    }

    /// Runs until ``stop()`` is done.
    ///
    /// - Parameter onReport: called with each new report, the first time once the manifests have been read.
    package func run(onReport: @escaping @Sendable (StatusReport) -> Void) async throws {
        let pods = try proxy.store.watch([.pods])
        let changes = try proxy.store.watch([.pods, .services, .endpointslices])
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask { [runtime] in
                await runtime.run()
                return true
            }
            group.addTask { [proxy] in
                try await proxy.run()
                return false
            }
            group.addTask { [runtime] in
                for await event in pods {
                    if event.kind == .deleted {
                        runtime.remove(event.object.key)
                    } else {
                        runtime.set(Pod(event.object))
                    }
                }
                return false
            }
            group.addTask { [self] in
                await proxy.manifestsWereRead()
                onReport(report())
                for await _ in Self.coalesced(changes) { onReport(report()) }
                return false
            }
            // The pods' end is the suite's end; anything else that ends before is a failure of ours.
            while let isEnd = try await group.next() {
                if isEnd { break }
                if !Task.isCancelled, !isStopping.withLock({ $0 }) { runtime.stop(grace: .seconds(30)) }
            }
            group.cancelAll()
        }
    }

    /// What runs now.
    package func report() -> StatusReport {
        let store = proxy.store
        let services = store.list(.services).items.map(Service.init)
        let slices = store.list(.endpointslices).items.map(EndpointSlice.init)
        var ready: [String: Int] = [:]
        for slice in slices {
            guard let service = slice.serviceName else { continue }
            ready["\(slice.namespace)/\(service)", default: 0] += slice.endpoints.count(where: \.isReady)
        }
        let pods = store.list(.pods).items.map { StatusReport.PodRow(Pod($0)) }
        let problems = proxy.problems
        let state: StatusReport.State
        if isStopping.withLock({ $0 }) {
            state = .stopping
        } else if !pods.allSatisfy(\.isGood) {
            state = .starting
        } else {
            state = problems.isEmpty ? .ready : .degraded
        }
        return StatusReport(
            state: state, pid: getpid(), node: configuration.nodeName, urls: proxy.localURLs,
            services: services.map {
                StatusReport.ServiceRow($0, readyEndpoints: ready["\($0.namespace)/\($0.name)"] ?? 0)
            },
            pods: pods, problems: problems)
    }

    /// One element for any number of changes that come while the reader is busy.
    private static func coalesced(_ changes: WatchStream) -> AsyncStream<Void> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let task = Task {
                for await _ in changes { continuation.yield() }
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}

extension ImageMap {
    /// What holds when there is no file: the three images of the suite.
    package static let bundled: ImageMap = {
        let common = [(name: "BIND_ADDRESS", value: "$(POD_IP)")]
        let front = common + [("RESOLV_CONF", "$(RESOLV_CONF)"), ("TLS_CA_DIR", "$(STATE_DIR)")]
        return ImageMap([
            "kiada/kiada": Program(program: "kiada", environment: front),
            "kiada/quote": Program(program: "quote", environment: common),
            "kiada/quiz": Program(program: "quiz", environment: common),
        ])
    }()
}
