#if os(Linux)
import ClusterModel
import Foundation
import KiadaTesting
import NetTypes
import Testing

@testable import PodRuntime

/// Files of volumes made from ConfigMaps, Secrets and fields of the pod.
struct VolumeFilesTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func file(_ path: String, _ text: String, mode: Int = 0o644) -> VolumeFile {
        VolumeFile(path: path, bytes: Array(text.utf8), mode: mode)
    }

    private func text(_ path: String) -> String? {
        try? String(contentsOfFile: "\(folder.path)/v/\(path)", encoding: .utf8)
    }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path + "/v").filter { !$0.hasPrefix("..") }.sorted()
    }

    @Test("New files take the place of the old ones in one step: one link leads to all of them")
    func atomic() throws {
        let place = folder.path + "/v"
        #expect(try AtomicFolder.write([file("a", "1"), file("sub/b", "2", mode: 0o600)], to: place, stamp: "one"))
        #expect(text("a") == "1")
        #expect(text("sub/b") == "2")
        #expect(try FileManager.default.attributesOfItem(atPath: place + "/sub/b")[.posixPermissions] as? Int == 0o600)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: place + "/a") == "..data/a")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: place + "/..data") == "..one")

        #expect(try AtomicFolder.write([file("a", "3"), file("c", "4")], to: place, stamp: "two"))
        #expect(try names() == ["a", "c"])
        #expect(text("a") == "3")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: place + "/..data") == "..two")
        #expect(!FileManager.default.fileExists(atPath: place + "/..one"))
    }

    @Test("Files that are there already are not written again")
    func unchanged() throws {
        let place = folder.path + "/v"
        #expect(try AtomicFolder.write([file("a", "1")], to: place, stamp: "one"))
        #expect(try !AtomicFolder.write([file("a", "1")], to: place, stamp: "two"))
        #expect(try AtomicFolder.write([file("a", "1", mode: 0o400)], to: place, stamp: "three"))
    }

    // MARK: Content

    private let facts = PodFacts(
        podIP: .v4(IPv4Address(bits: 0x7FF4_0002)), hostIP: .v4(IPv4Address(bits: 0x7F12_0002)), nodeName: "node",
        folder: "/pod")

    /// The files of one volume of a pod with label `app=quote`, or why there are none.
    private func files(_ volume: JSONValue) throws -> Result<[VolumeFile], PodFolderError> {
        var named = volume
        named["name"] = "v"
        var object = Pod.fixture(
            spec: ["volumes": [named]], container: ["resources": ["limits": ["memory": "64Mi", "cpu": "1500m"]]]
        ).object
        object.labels = ["app": "quote", "odd": "x"]
        let pod = Pod(object)
        guard case .files(let files)? = pod.volumes["v"] else { throw CancellationError() }
        do {
            return .success(
                try VolumeContent.files(
                    of: files,
                    settings: { settings in
                        switch settings {
                        case .configMap("web"):
                            SettingsContent(
                                texts: ["a": "1", "b": "2"], files: ["a": [49], "b": [50], "bin": [0, 255]])
                        case .secret("tls"): SettingsContent(texts: ["tls.key": "k"], files: ["tls.key": [107]])
                        default: nil
                        }
                    },
                    field: { source throws(ContainerEnvironmentError) in
                        try PodFields.text(source, of: pod, container: nil, facts: facts, inFile: true)
                    }))
        } catch {
            return .failure(error)
        }
    }

    @Test("A ConfigMap shows all keys, binary ones too, or the chosen items with their modes")
    func configMap() throws {
        #expect(try files(["configMap": ["name": "web"]]).get().map(\.path) == ["a", "b", "bin"])
        let chosen: JSONValue = [
            "configMap": [
                "name": "web", "defaultMode": 0o440,
                "items": [["key": "a", "path": "conf/x"], ["key": "b", "path": "y", "mode": 0o600]],
            ]
        ]
        #expect(try files(chosen).get() == [file("conf/x", "1", mode: 0o440), file("y", "2", mode: 0o600)])
    }

    @Test("What is missing is told in the kubelet's words, unless it is optional")
    func missing() throws {
        func problem(_ volume: JSONValue) throws -> String? {
            if case .failure(let error) = try files(volume) { error.description } else { nil }
        }
        #expect(try problem(["configMap": ["name": "none"]]) == "configmap \"none\" not found")
        #expect(try problem(["secret": ["secretName": "none"]]) == "secret \"none\" not found")
        #expect(try files(["configMap": ["name": "none", "optional": true]]).get() == [])
        let key: JSONValue = ["configMap": ["name": "web", "items": [["key": "z", "path": "z"]]]]
        #expect(try problem(key) == "configmap \"web\" references non-existent key: z")
        let escape: JSONValue = ["configMap": ["name": "web", "items": [["key": "a", "path": "../a"]]]]
        #expect(try problem(escape) == "path \"../a\" leads out of the volume")
        #expect(try problem(["projected": ["sources": [["serviceAccountToken": ["path": "t"]]]]]) != nil)
    }

    @Test("A projected volume puts ConfigMaps, Secrets and fields together")
    func projected() throws {
        let volume: JSONValue = [
            "projected": [
                "sources": [
                    ["configMap": ["name": "web", "items": [["key": "a", "path": "a"]]]],
                    ["secret": ["name": "tls", "items": [["key": "tls.key", "path": "key", "mode": 0o600]]]],
                    [
                        "downwardAPI": [
                            "items": [
                                ["path": "labels", "fieldRef": ["fieldPath": "metadata.labels"]],
                                ["path": "name", "fieldRef": ["fieldPath": "metadata.name"]],
                                [
                                    "path": "memory",
                                    "resourceFieldRef": [
                                        "containerName": "app", "resource": "limits.memory", "divisor": "1Mi",
                                    ],
                                ],
                                [
                                    "path": "cpu",
                                    "resourceFieldRef": ["containerName": "app", "resource": "requests.cpu"],
                                ],
                            ]
                        ]
                    ],
                ]
            ]
        ]
        #expect(
            try files(volume).get() == [
                file("a", "1"), file("cpu", "2"), file("key", "k", mode: 0o600),
                file("labels", "app=\"quote\"\nodd=\"x\""), file("memory", "64"), file("name", "web"),
            ])
    }

    @Test("Quantities are read with their suffixes and rounded up to thousandths")
    func quantities() {
        let expected: [(String, Int128?)] = [
            ("1", 1000), ("0.5", 500), ("100m", 100), ("1.5Gi", 1000 * 3 << 29), ("2k", 2_000_000), ("0.0001", 1),
            ("-1", -1000), ("1e3", nil), ("", 0), ("x", nil), ("1.2.3", nil),
        ]
        for (text, milli) in expected where !text.isEmpty { #expect(Quantity(text)?.milli == milli, "\(text)") }
        #expect(Quantity("1500m")?.divided(by: Quantity(milli: 1000)) == 2)
    }

    @Test("Mount points above all others are found, without the root and /proc; octal escapes are read")
    func mounts() {
        let text = """
            1 0 8:1 / / rw - ext4 /dev/vda rw
            2 1 0:5 / /dev rw - devtmpfs none rw
            3 2 0:6 / /dev/pts rw - devpts none rw
            4 1 0:7 / /proc rw - proc proc rw
            5 4 0:7 / /proc/sys rw - proc proc rw
            6 1 0:8 / /my\\040disk rw - ext4 /dev/vdb rw
            7 1 0:8 / /devices rw - ext4 /dev/vdb rw
            """
        #expect(HostMounts.uppermost(of: text) == ["/dev", "/devices", "/my disk"])
    }
}
#endif
