import ClusterModel
import Testing

@Suite("1.1, 1.10 names")
struct NameRulesTests {
    private static let long = String(repeating: "a", count: 64)

    @Test(
        "1.1 names that are good",
        arguments: [
            (NameRules.dns1035Label, ["quote", "a-1", "a"]), (NameRules.dns1123Label, ["1quiz", "quote", "0"]),
            (NameRules.dns1123Subdomain, ["a.b", "1.2.3.4", String(repeating: "a.", count: 126) + "a"]),
            (NameRules.portName, ["http", "a1", "1-a", "abcdefghijklmno"]),
            (NameRules.qualifiedName, ["app", "app.kubernetes.io/name", "A_b.c-D", "kubernetes.io/h2c"]),
            (NameRules.labelValue, ["", "MyValue", "my_value", "12345"]),
        ] as [(@Sendable (String) -> [String], [String])])
    func good(rule: @Sendable (String) -> [String], texts: [String]) {
        for text in texts { #expect(rule(text).isEmpty, "\(text)") }
    }

    @Test("1.1 a Service's port may have a name that a container's may not")
    func portNames() {
        #expect(NameRules.dns1123Label("a-very-long-port-name-indeed").isEmpty)
        #expect(NameRules.portName("a-very-long-port-name-indeed") == ["must be no more than 15 characters"])
    }

    @Test(
        "1.1 everything that is wrong with the name of a container's port is said",
        arguments: [
            ("123", ["must contain at least one letter (a-z)"]), ("a--b", ["must not contain consecutive hyphens"]),
            ("-a", ["must not begin or end with a hyphen"]),
            (
                "A",
                [
                    "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
                    "must contain at least one letter (a-z)",
                ]
            ),
            (
                "-1--",
                [
                    "must contain at least one letter (a-z)", "must not contain consecutive hyphens",
                    "must not begin or end with a hyphen",
                ]
            ),
        ])
    func portNameProblems(text: String, expected: [String]) { #expect(NameRules.portName(text) == expected) }

    @Test("1.10 dots where a label is wanted, too long, and both a length and characters")
    func labels() {
        #expect(NameRules.dns1123Label("a.b") == ["must not contain dots"])
        #expect(NameRules.dns1123Label(Self.long) == ["must be no more than 63 characters"])
        #expect(NameRules.dns1123Label(Self.long + "_").count == 2)
        #expect(
            NameRules.dns1123Subdomain("a_b") == [
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
                    + "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
                    + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
            ])
        #expect(
            NameRules.dns1123Subdomain(String(repeating: "a", count: 254)) == ["must be no more than 253 characters"])
    }

    @Test("1.10 [V] the value of a label")
    func labelValue() {
        #expect(
            NameRules.labelValue("-a") == [
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
                    + "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
                    + "regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
            ])
        #expect(NameRules.labelValue(Self.long) == ["must be no more than 63 characters"])
    }

    @Test("1.1 qualified names: prefix and name are looked at apart")
    func qualifiedNames() {
        let hint =
            "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
            + "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
            + "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
        #expect(NameRules.qualifiedName("") == ["name part must be non-empty", hint])
        #expect(NameRules.qualifiedName("/a") == ["prefix part must be non-empty"])
        #expect(NameRules.qualifiedName("a/-") == [hint])
        #expect(NameRules.qualifiedName("x/" + Self.long) == ["name part must be no more than 63 characters"])
        #expect(NameRules.qualifiedName("A/b").first?.hasPrefix("prefix part a lowercase RFC 1123 subdomain") == true)
        #expect(
            NameRules.qualifiedName("a/b/c").first?.hasSuffix(
                "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')") == true)
    }
}
