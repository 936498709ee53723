import Foundation
import KiadaTesting
import SuiteRuntime
import Testing

/// ConfigMaps and Secrets while the suite runs.
@Suite("ConfigMaps in volumes", .enabled(if: RunningSuite.obstacle == nil, "needs ports below 1024"))
struct SettingsTests {
    @Test("The files of a volume follow their ConfigMap while the pod runs")
    func followed() async throws {
        let folder = try TemporaryFolder("settings")
        try configMap("first", in: folder)
        try Self.pod.write(toFile: folder.path + "/pod.yaml", atomically: true, encoding: .utf8)
        let suite = try RunningSuite(manifests: folder.path)
        let up = try await suite.up()
        #expect(up.code == 0, "\(up.errors)")
        let file = try #require(writtenFile(in: suite))
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "first")
        try configMap("second", in: folder)
        #expect(await eventually { (try? String(contentsOfFile: file, encoding: .utf8)) == "second" })
        try await suite.down()
    }

    private func configMap(_ text: String, in folder: TemporaryFolder) throws {
        try """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: texts}
        data: {greeting: \(text)}
        """.write(toFile: folder.path + "/texts.yaml", atomically: true, encoding: .utf8)
    }

    private func writtenFile(in suite: RunningSuite) -> String? {
        let paths = FileManager.default.enumerator(atPath: suite.state)?.compactMap { $0 as? String } ?? []
        return paths.first { $0.hasSuffix("/greeting") && !$0.contains("..") }.map { suite.state + "/" + $0 }
    }

    private static let pod = """
        apiVersion: v1
        kind: Pod
        metadata: {name: web}
        spec:
          containers:
            - name: web
              image: kiada/quote:1.0
              env:
                - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
                - {name: HTTP_PORT, value: "8080"}
              volumeMounts: [{name: texts, mountPath: /texts}]
          volumes:
            - name: texts
              configMap: {name: texts}
        """
}
