import FoundationEssentials
import Glibc

/// Which pod this program runs as: what the downward API says, with the book's words where it says nothing (10.3).
package struct PodIdentity: Equatable, Sendable {
    package var podName: String
    package var nodeName: String
    package var podIP: String
    package var nodeIP: String
    package var hostname: String

    package init(podName: String, nodeName: String, podIP: String, nodeIP: String, hostname: String) {
        self.podName = podName
        self.nodeName = nodeName
        self.podIP = podIP
        self.nodeIP = nodeIP
        self.hostname = hostname
    }

    /// Reads POD_NAME, NODE_NAME, POD_IP, NODE_IP and HOSTNAME.
    ///
    /// Without POD_NAME the host name is the pod's name, as it is in a container.
    package init(environment: [String: String]) {
        func value(_ key: String) -> String? { environment[key].flatMap { $0.isEmpty ? nil : $0 } }
        hostname = value("HOSTNAME") ?? Self.machineName() ?? "unknown-host"
        podName = value("POD_NAME") ?? value("HOSTNAME") ?? Self.machineName() ?? "unknown-pod"
        nodeName = value("NODE_NAME") ?? "unknown-node"
        podIP = value("POD_IP") ?? "0.0.0.0"
        nodeIP = value("NODE_IP") ?? "0.0.0.0"
    }

    private static func machineName() -> String? {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return nil }
        let text = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return text.isEmpty ? nil : text
    }
}

/// The version of the suite's programs.
package enum SuiteVersion {
    package static let text = "0.1.0"
}
