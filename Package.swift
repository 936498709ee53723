// swift-tools-version: 6.2
import PackageDescription

/// Settings of every target of ours.
///
/// With KIADA_STRICT set (as `make` does for tests) a warning is an error; a plain `swift build` by a user with a newer
/// compiler still works.
let settings: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ] + (Context.environment["KIADA_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)])

// MARK: - What others provide

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

// MARK: - Our targets, by layer: imports go down only (docs/architecture.md)

// Sources/{SuiteRuntime,kiada-suite,KiadaService} are not built yet: docs/status.md says what they wait for.

func library(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}
func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

var targets: [Target] = [
    // 0
    library("NetTypes"),
    .target(name: "CLinux"),
    // 1
    library("ClusterModel", ["NetTypes"]),
    library("DNSWire", ["NetTypes"]),
    // 2
    library("ClusterStore", ["ClusterModel"]),
    library("ServiceRouting", ["ClusterModel", "NetTypes"]),
    library("Manifests", ["ClusterModel", yams]),
    // 3
    library("DNSClient", ["DNSWire", "NetTypes", nioCore, nioPosix]),
    library("ServiceDiscovery", ["DNSClient", "DNSWire", "NetTypes", nioCore, nioPosix]),
    library(
        "ClusterDNS",
        ["DNSClient", "ClusterModel", "ClusterStore", "DNSWire", "NetTypes", logging, nioCore, nioPosix]),
    library("UserspaceProxy", ["ServiceRouting", "NetTypes", "CLinux", logging]),
    .target(name: "CPodProcess"),
    library(
        "PodRuntime",
        ["ClusterModel", "NetTypes", "CPodProcess", "CLinux", logging, nioCore, nioPosix, nioHTTP1, nioSSL]),
    // 4
    library("ServiceProxy", ["ClusterModel", "ClusterStore", "Manifests"]),
    // Tests
    .target(
        name: "KiadaTesting", dependencies: ["NetTypes"], path: "Tests/Support", swiftSettings: settings),
    tests("NetTypesTests", ["NetTypes"]),
    tests("ClusterModelTests", ["ClusterModel"]),
    tests("DNSWireTests", ["DNSWire", "NetTypes"]),
    tests("ClusterStoreTests", ["ClusterStore", "ClusterModel"]),
    tests("ServiceRoutingTests", ["ServiceRouting", "ClusterModel", "NetTypes"]),
    tests("ManifestsTests", ["Manifests", "ClusterModel"]),
    tests(
        "ServiceDiscoveryTests",
        ["ServiceDiscovery", "DNSClient", "DNSWire", "NetTypes", "KiadaTesting", nioCore, nioPosix]),
    tests(
        "ClusterDNSTests",
        [
            "ClusterDNS", "DNSClient", "ClusterModel", "ClusterStore", "DNSWire", "NetTypes", "KiadaTesting", logging,
            nioCore, nioPosix,
        ]),
    tests("UserspaceProxyTests", ["UserspaceProxy", "ServiceRouting", "NetTypes", "CLinux", "KiadaTesting", logging]),
    tests("PodRuntimeTests", ["PodRuntime", "ClusterModel", "NetTypes", "KiadaTesting", logging]),
    tests("ServiceProxyTests", ["ServiceProxy", "ClusterStore", "ClusterModel", "Manifests", "KiadaTesting"]),
]

// KIADA_ONLY=QuizServiceTests,quote leaves just these targets and what they need: a quick way to
// build and test one part (`make test-one T=QuizServiceTests`).
if let only = Context.environment["KIADA_ONLY"], !only.isEmpty {
    var wanted: Set<String> = []
    var open = only.split(separator: ",").map(String.init)
    while let name = open.popLast() {
        guard wanted.insert(name).inserted, let target = targets.first(where: { $0.name == name }) else { continue }
        for dependency in target.dependencies {
            switch dependency {
            case .byNameItem(let name, _), .targetItem(let name, _): open.append(name)
            default: break
            }
        }
    }
    targets.removeAll { !wanted.contains($0.name) }
}

let package = Package(
    name: "kiada",
    platforms: [.macOS(.v15)],
    products: [],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: targets,
    swiftLanguageModes: [.v6]
)
