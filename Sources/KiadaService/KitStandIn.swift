package struct PodIdentity: Sendable {
    package var podName, nodeName, podIP, nodeIP, hostname: String
    package init(environment: [String: String]) {
        podName = environment["POD_NAME"] ?? environment["HOSTNAME"] ?? "unknown-pod"
        nodeName = environment["NODE_NAME"] ?? "unknown-node"
        podIP = environment["POD_IP"] ?? "0.0.0.0"
        nodeIP = environment["NODE_IP"] ?? "0.0.0.0"
        hostname = environment["HOSTNAME"] ?? "unknown-host"
    }
}
