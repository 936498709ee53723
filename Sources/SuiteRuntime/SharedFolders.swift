import ClusterModel
import ClusterStore
import FoundationEssentials
import Glibc
import NetTypes
import PodRuntime
import ServiceKit
import ServiceProxy

/// Folders that containers share with the proxy, because no runtime of ours starts them.
///
/// | file | what |
/// |---|---|
/// | `pods/env/NAMESPACE` | lines `NAME=value`: the node, and the variables of Services as they are now (semantics 5) |
/// | `pods/ca.crt` | the local certificate authority |
/// | `tls/tls.crt`, `tls/tls.key` | a certificate for the Services of type LoadBalancer; readable by the group |
struct SharedFolders: Sendable {
    let pods: String?
    let tls: String?
    let nodeName: String
    let nodeAddress: IPAddress
    let clusterDomain: String
    let authority: LocalCertificateAuthority

    /// Keeps the files as the store is until the task is cancelled.
    ///
    /// - Parameter onWritten: called after each round with what could not be written.
    func run(_ store: Store, onWritten: @Sendable ([String]) -> Void) async {
        var renewal = Date.distantPast
        while !Task.isCancelled {
            guard let stream = try? store.watch([.services, .namespaces]) else { continue }
            let batches = WatchBatches(stream).makeAsyncIterator()
            while await batches.next() != nil {
                var problems: [String] = []
                do {
                    try writeVariables(store)
                    if Date() > renewal { renewal = try writeCertificate(store) }
                } catch {
                    problems.append("files for containers cannot be written: \(error)")
                }
                onWritten(problems)
            }
        }
    }

    private func writeVariables(_ store: Store) throws(SuiteError) {
        guard let pods else { return }
        let folder = pods + "/env"
        try Self.make(folder)
        let services = store.list(.services).items.map(Service.init)
        for namespace in store.list(.namespaces).items.map(\.name) {
            var lines = ["NODE_NAME=\(nodeName)", "NODE_IP=\(nodeAddress)", "POD_NAMESPACE=\(namespace)"]
            lines += ServiceEnvironment.variables(for: services, namespace: namespace, enableServiceLinks: true)
                .map { "\($0.name)=\($0.value)" }
            try Self.write(lines.joined(separator: "\n") + "\n", to: "\(folder)/\(namespace)", mode: 0o644)
        }
        let certificate: String
        do { certificate = try authority.certificatePEM } catch { throw SuiteError("\(error)") }
        try Self.write(certificate, to: "\(pods)/ca.crt", mode: 0o644)
    }

    /// - Returns: when the certificate has to be replaced.
    private func writeCertificate(_ store: Store) throws -> Date {
        guard let tls else { return .distantFuture }
        try Self.make(tls)
        let published = store.list(.services).items.map(Service.init).filter { $0.type == .loadBalancer }
        let names = published.flatMap { service in
            let short = "\(service.name).\(service.namespace)"
            return [service.name, short, "\(short).svc", "\(short).svc.\(clusterDomain)"]
        }
        let addresses = published.flatMap { $0.clusterAddresses + $0.loadBalancerIngress.compactMap(\.ip) }
        let loopback = [IPAddress("127.0.0.1"), IPAddress("::1")].compactMap { $0 }
        let issued = try authority.issue(
            names: ["localhost"] + names,
            addresses: Array(Set(loopback + addresses + [nodeAddress])).map(\.octets))
        // The key first: a server that reads between the two sees that they do not match, and keeps what it has.
        try Self.write(issued.keyPEM, to: "\(tls)/tls.key", mode: 0o640)
        try Self.write(issued.chainPEM, to: "\(tls)/tls.crt", mode: 0o644)
        // Without a load balancer yet, the next change decides again.
        return published.contains { !$0.loadBalancerIngress.isEmpty } ? issued.renewal : .distantPast
    }

    private static func make(_ folder: String) throws(SuiteError) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw SuiteError("cannot make the folder \(folder): \(error)")
        }
    }

    /// Replaces a file in one step, unless it says the same already.
    static func write(_ text: String, to path: String, mode: mode_t) throws(SuiteError) {
        if let old = try? String(contentsOf: URL(filePath: path), encoding: .utf8), old == text { return }
        func failure() -> SuiteError { SuiteError("cannot write \(path): \(String(cString: strerror(errno)))") }
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure() }
        fchmod(descriptor, mode)
        let bytes = Array(text.utf8)
        let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
        guard count == bytes.count, rename(draft, path) == 0 else { throw failure() }
    }
}
