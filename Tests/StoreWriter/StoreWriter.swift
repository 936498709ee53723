import ClusterModel
import ClusterStore
import ControlPlane
import Glibc
import NetTypes
import StorePersistence

/// A process that is there to be killed: it creates Services without end, and says which ones were acknowledged.
@main
enum StoreWriter {
    static func main() throws {
        let journal = try SQLiteJournal(path: CommandLine.arguments[1])
        let contents = try journal.contents()
        guard let range = CIDR("10.96.0.0/16") else { return }
        let admission = ClusterAdmission(ClusterNetworks(serviceRanges: [range]))
        admission.restore(contents.objects.filter { $0.type == .services })
        let store = Store(
            admission: admission, source: SystemStoreSource { Int64(time(nil)) }, journal: journal, contents: contents)
        let namespace = KubeObject(.namespaces, name: "kiada")
        if store.get(namespace.key) == nil { _ = try store.create(namespace) }
        var number = contents.objects.count
        while number < 20_000 {
            number += 1
            var service = KubeObject(.services, namespace: "kiada", name: "s-\(number)")
            service.json["spec"] = ["type": "NodePort", "ports": [["port": 80]]]
            if number > 2000 { service.json["spec"]?["type"] = "ClusterIP" }
            let stored = try store.create(service)
            let address = stored.json["spec"]?["clusterIP"]?.stringValue ?? "none"
            let line = "\(stored.name) \(address) \(stored.resourceVersion ?? "")\n"
            _ = line.withCString { write(1, $0, strlen($0)) }
        }
    }
}
