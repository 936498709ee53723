import ClusterModel
import FoundationEssentials
import Glibc

/// What this machine tells about itself, for the Node object.
enum NodeFacts {
    /// Puts the machine's facts into the node's status.
    static func add(to node: inout KubeObject, at time: String) {
        var system = utsname()
        uname(&system)
        let cpus = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let kibibytes = max(0, sysconf(Int32(_SC_PHYS_PAGES))) * max(0, sysconf(Int32(_SC_PAGESIZE))) / 1024
        let resources: JSONValue = [
            "cpu": .string("\(cpus)"), "memory": .string("\(kibibytes)Ki"), "pods": "65000",
        ]
        node.json["status"]?["capacity"] = resources
        node.json["status"]?["allocatable"] = resources
        node.json["status"]?["nodeInfo"] = [
            "architecture": .string(architecture), "operatingSystem": "linux",
            "kernelVersion": .string(text(&system.release)), "osImage": .string(osImage),
            "kubeletVersion": .string(KubernetesVersion.text), "kubeProxyVersion": .string(KubernetesVersion.text),
            "containerRuntimeVersion": "kiada://0.1.0", "machineID": "", "systemUUID": "", "bootID": "",
        ]
        guard let conditions = node.json["status"]?["conditions"]?.arrayValue else { return }
        node.json["status"]?["conditions"] = .array(
            conditions.map { condition in
                var condition = condition
                condition["lastHeartbeatTime"] = .string(time)
                condition["lastTransitionTime"] = .string(time)
                return condition
            })
    }

    static var architecture: String {
        #if arch(arm64)
        "arm64"
        #else
        "amd64"
        #endif
    }

    private static var osImage: String {
        let release = (try? String(contentsOf: URL(filePath: "/etc/os-release"), encoding: .utf8)) ?? ""
        let line = release.split(separator: "\n").first { $0.hasPrefix("PRETTY_NAME=") }
        return line.map { $0.dropFirst(12).filter { $0 != "\"" } } ?? "Linux"
    }

    /// A C text in an array of fixed size.
    private static func text<Array>(_ array: inout Array) -> String {
        withUnsafeBytes(of: &array) { bytes in String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
