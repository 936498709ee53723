import ClusterModel
import KiadaTesting
import NetTypes
import Testing

@testable import PodRuntime

extension PodRuntimeConfiguration {
    /// One node without namespaces, whose image `test` is a shell.
    ///
    /// - Parameter variables: what containers get for Services.
    static func plain(
        in folder: TemporaryFolder, variables: [(name: String, value: String)] = []
    ) throws -> PodRuntimeConfiguration {
        PodRuntimeConfiguration(
            nodeName: "node", hostIP: .v4(IPv4Address(bits: 0x7F12_0002)), stateDirectory: folder.path,
            podRange: try #require(CIDR("127.244.0.0/16")), images: ImageMap(["test": .init(program: "/bin/sh")]),
            programDirectory: "/bin", searchPath: "/usr/bin:/bin", hasNamespaces: false,
            serviceVariables: { _, _ in variables })
    }
}
