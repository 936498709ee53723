import ClusterModel
import ClusterStore
import ControlPlane
import NetTypes
import Testing

/// Semantics 9.2, row by row, and 9.3 to 9.5.
@Suite("9 every row of the table of families")
struct FamilyVectorTests {
    private static let dual = ["10.96.0.0/16", "fd00:10:96::/112"]
    private static let single = ["10.96.0.0/16"]

    /// What comes of a Service: its policy, families and how many addresses it has, or the refusal.
    private func outcome(_ fields: [String: JSONValue], on ranges: [String]) throws -> String {
        let cluster = try Cluster(ranges)
        var spec = fields
        if spec["ports"] == nil, spec["type"] == nil { spec["ports"] = [["port": 80]] }
        let object = Cluster.service("quote", .object(spec))
        do throws(APIError) {
            let made = Service(try cluster.store.create(object))
            let policy = made.object.json["spec"]?["ipFamilyPolicy"]?.stringValue ?? "none"
            let families = made.ipFamilies.map(\.rawValue).joined(separator: ",")
            let kinds = made.clusterIPs.map { IPAddress($0)?.family.rawValue ?? $0 }.joined(separator: ",")
            return "\(policy) [\(families)] \(kinds)"
        } catch {
            return String(error.message.dropFirst("Service \"quote\" is invalid: ".count))
        }
    }

    private static let unsettled =
        "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple "
    private static let two: JSONValue = ["10.96.0.9", "fd00:10:96::9"]

    @Test(
        "9.2 [V], S20, S21, S22, S23, S25",
        arguments: [
            ([:], "SingleStack [IPv4] IPv4", "SingleStack [IPv4] IPv4"),
            (
                ["ipFamilyPolicy": "PreferDualStack"], "PreferDualStack [IPv4,IPv6] IPv4,IPv6",
                "PreferDualStack [IPv4] IPv4"
            ),
            (
                ["ipFamilyPolicy": "PreferDualStack", "ipFamilies": ["IPv6"]],
                "PreferDualStack [IPv6,IPv4] IPv6,IPv4",
                #"spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster"#
            ),
            (
                ["ipFamilyPolicy": "RequireDualStack"], "RequireDualStack [IPv4,IPv6] IPv4,IPv6",
                #"spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services"#
            ),
            (
                ["ipFamilies": ["IPv6"]], "SingleStack [IPv6] IPv6",
                #"spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster"#
            ),
            (
                ["clusterIP": "fd00:10:96::9"], "SingleStack [IPv6] IPv6",
                #"spec.clusterIPs[0]: Invalid value: ["fd00:10:96::9"]: IPv6 is not configured on this cluster"#
            ),
            (
                ["clusterIP": "10.96.0.9", "clusterIPs": Self.two], Self.unsettled + "cluster IPs are specified",
                "[" + Self.unsettled
                    + #"cluster IPs are specified, spec.clusterIPs[1]: Invalid value: ["10.96.0.9","fd00:10:96::9"]: IPv6 is not configured on this cluster]"#
            ),
            (
                ["clusterIP": "10.96.0.9", "clusterIPs": Self.two, "ipFamilyPolicy": "PreferDualStack"],
                "PreferDualStack [IPv4,IPv6] IPv4,IPv6",
                #"spec.clusterIPs[1]: Invalid value: ["10.96.0.9","fd00:10:96::9"]: IPv6 is not configured on this cluster"#
            ),
            (
                ["clusterIP": "None", "selector": ["a": "b"]], "SingleStack [IPv4] None", "SingleStack [IPv4] None"
            ),
            (["clusterIP": "None"], "RequireDualStack [IPv4,IPv6] None", "RequireDualStack [IPv4,IPv6] None"),
            (
                ["clusterIP": "None", "ipFamilyPolicy": "SingleStack"], "SingleStack [IPv4] None",
                "SingleStack [IPv4] None"
            ),
            (["type": "ExternalName", "externalName": "a.example"], "none [] ", "none [] "),
        ] as [([String: JSONValue], String, String)])
    func table(fields: [String: JSONValue], onDual: String, onSingle: String) throws {
        #expect(try outcome(fields, on: Self.dual) == onDual)
        #expect(try outcome(fields, on: Self.single) == onSingle)
    }

    @Test("9.2 [V], S24 two families without a policy are refused on both")
    func noPolicy() throws {
        for ranges in [Self.dual, Self.single] {
            #expect(
                try outcome(["ipFamilies": ["IPv4", "IPv6"]], on: ranges)
                    == Self.unsettled + "IP families are specified")
        }
    }

    @Test("9.1 the first block's family is the default one")
    func defaultFamily() throws {
        #expect(try outcome([:], on: Self.dual.reversed()) == "SingleStack [IPv6] IPv6")
        #expect(
            try outcome(["ipFamilyPolicy": "RequireDualStack"], on: Self.dual.reversed())
                == "RequireDualStack [IPv6,IPv4] IPv6,IPv4")
    }

    @Test(
        "9.3 lists by themselves",
        arguments: [
            (
                ["ipFamilies": ["IPv5"]],
                #"spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6""#
            ),
            (
                ["ipFamilies": ["IPv4", "IPv4"], "ipFamilyPolicy": "PreferDualStack"],
                #"spec.ipFamilies[1]: Duplicate value: "IPv4""#
            ),
            (
                ["ipFamilyPolicy": "DualStack"],
                #"spec.ipFamilyPolicy: Unsupported value: "DualStack": supported values: "PreferDualStack", "RequireDualStack", "SingleStack""#
            ),
            (
                [
                    "clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9", "10.96.0.10"],
                    "ipFamilyPolicy": "PreferDualStack",
                ],
                #"spec.clusterIPs: Invalid value: ["10.96.0.9","10.96.0.10"]: may specify no more than one IP for each IP family"#
            ),
            (
                ["clusterIP": "None", "clusterIPs": ["None", "10.96.0.10"]],
                #"spec.clusterIPs: Invalid value: ["None","10.96.0.10"]: 'None' must be the first and only value"#
            ),
            (
                ["clusterIP": "10.96.0.9", "ipFamilies": ["IPv6"]],
                #"spec.clusterIPs[0]: Invalid value: "10.96.0.9": expected an IPv6 value as indicated by `ipFamilies[0]`"#
            ),
            (
                ["clusterIP": "10.96.0"],
                #"spec.clusterIPs[0]: Invalid value: "10.96.0": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"#
            ),
        ] as [([String: JSONValue], String)])
    func lists(fields: [String: JSONValue], expected: String) throws {
        #expect(try outcome(fields, on: Self.dual) == expected)
    }

    @Test("9.3 at most two cluster IPs")
    func three() throws {
        let text = try outcome(
            [
                "clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9", "fd00:10:96::9", "10.96.0.10"],
                "ipFamilyPolicy": "PreferDualStack",
            ], on: Self.dual)
        #expect(text.contains("may only hold up to 2 values"))
    }

    @Test("9.4 the second address is free again after a downgrade; without SingleStack shorter lists are refused")
    func downgrade() throws {
        let cluster = try Cluster(Self.dual)
        let spec: JSONValue = ["ipFamilyPolicy": "PreferDualStack", "ports": [["port": 80]]]
        let both = try cluster.store.create(Cluster.service("quote", spec))
        let second = try #require(both.json["spec"]?["clusterIPs"]?[1])
        var shorter = both
        shorter.json["spec"]?["clusterIPs"] = .array([both.json["spec"]?["clusterIPs"]?[0] ?? ""])
        #expect(
            cluster.updateRefusal(shorter).contains(
                #"spec.ipFamilyPolicy: Invalid value: "PreferDualStack": must be 'SingleStack' to release the secondary cluster IP"#
            ))
        shorter = both
        shorter.json["spec"]?["ipFamilies"] = ["IPv4"]
        #expect(
            cluster.updateRefusal(shorter).contains(
                #"spec.ipFamilyPolicy: Invalid value: "PreferDualStack": must be 'SingleStack' to release the secondary IP family"#
            ))
        var single = both
        single.json["spec"]?["ipFamilyPolicy"] = "SingleStack"
        let one = try #require(try cluster.store.update(single).json["spec"])
        #expect(
            one["clusterIPs"] == .array([both.json["spec"]?["clusterIPs"]?[0] ?? ""]) && one["ipFamilies"] == ["IPv4"])
        #expect(cluster.refusal(["clusterIP": second, "ports": [["port": 80]]], name: "heir") == "created")
    }

    @Test("9.5 what prefers two families stays as it is when the cluster gets another, until it is changed")
    func clusterChange() throws {
        let before = try Cluster(Self.single)
        let spec: JSONValue = ["ipFamilyPolicy": "PreferDualStack", "ports": [["port": 80]]]
        let stored = try before.store.create(Cluster.service("quote", spec))
        var contents = StoreContents()
        contents.objects = before.store.list(.namespaces).items + [stored]
        contents.revision = 100
        let networks = ClusterNetworks(serviceRanges: Self.dual.compactMap { CIDR($0) })
        let admission = ClusterAdmission(networks)
        admission.restore([stored])
        let store = Store(admission: admission, source: SystemStoreSource { 0 }, contents: contents)
        var labelled = stored
        labelled.labels = ["a": "b"]
        let same = Service(try store.update(labelled))
        #expect(same.ipFamilies == [.v4] && same.clusterIPs.count == 1)
        var required = same.object
        required.json["spec"]?["ipFamilyPolicy"] = "RequireDualStack"
        let both = Service(try store.update(required))
        #expect(both.ipFamilies == [.v4, .v6] && both.clusterIPs.count == 2)
        #expect(both.clusterIPs.first == same.clusterIPs.first)
    }

    @Test("9.4, 2.7 the primary family stays; headless Services may change theirs")
    func families() throws {
        let cluster = try Cluster(Self.dual)
        let made = try cluster.store.create(Cluster.service("quote", ["ports": [["port": 80]]]))
        var changed = made
        changed.json["spec"]?["ipFamilies"] = ["IPv6"]
        #expect(cluster.updateRefusal(changed) != "updated")
        let selector: JSONValue = ["clusterIP": "None", "selector": ["a": "b"], "ports": [["port": 80]]]
        var headless = try cluster.store.create(Cluster.service("h", selector))
        headless.json["spec"]?["ipFamilies"] = ["IPv6"]
        #expect(cluster.updateRefusal(headless) == "updated")
    }
}
