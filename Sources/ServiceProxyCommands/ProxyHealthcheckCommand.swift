import ArgumentParser
import ComposePods
import NetTypes
import ServiceKit
import SuiteRuntime

/// `service-proxy healthcheck`: whether the proxy that runs here serves, for a container's HEALTHCHECK.
struct ProxyHealthcheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "healthcheck", abstract: "Ask the proxy that runs here whether it serves.",
        discussion: "Exit code 0: manifests are applied, and its DNS server answers; 1: not, and why.")

    @Option(name: .customLong("state-dir"), help: "The folder in which the proxy keeps its state.")
    var stateDirectory = ".kiada"

    func run() async throws {
        do {
            let report = try StatusReport.read(from: StateDirectory(stateDirectory))
            guard report.state == .ready || report.state == .degraded else {
                throw SuiteError("the proxy is \(report.state.rawValue)")
            }
            let dns = report.services.first { $0.namespace == "kube-system" && $0.name == "kube-dns" }
            guard let dns, let address = IPAddress(dns.clusterIP),
                let resolver = EngineResolver(resolvConf: "nameserver \(dns.clusterIP)")
            else {
                throw SuiteError("there is no Service kube-dns")
            }
            _ = try await resolver.pointers(of: address)
        } catch {
            StandardStream.error.write("not healthy: \(error)\n")
            throw ExitCode(1)
        }
    }
}
