package import ArgumentParser
import ServiceKit

/// The command line of `service-proxy`.
package struct ServiceProxyCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "service-proxy",
        abstract: "Kubernetes Services on one machine: stable addresses, balancing, readiness, DNS; no cluster.",
        discussion: """
            EXAMPLES
              service-proxy run --manifests deploy/
              service-proxy kubeconfig --server https://127.0.0.1:6443 > kubeconfig
              service-proxy pod -- quote --http-port 8080
            """,
        version: "service-proxy \(SuiteVersion.text)",
        subcommands: [RunCommand.self, PodCommand.self, KubeconfigCommand.self, ProxyHealthcheckCommand.self])

    package init() {}
}
