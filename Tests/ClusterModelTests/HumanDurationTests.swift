import ClusterModel
import Testing

@Suite("1.11 AGE")
struct HumanDurationTests {
    @Test(
        "[V] and the steps between",
        arguments: [
            (15, "15s"), (119, "119s"), (120, "2m"), (330, "5m30s"), (90 * 60, "90m"), (5 * 3600, "5h"),
            (47 * 3600, "47h"), (49 * 3600, "2d1h"), (8 * 86400, "8d"), (3 * 365 * 86400, "3y"), (0, "0s"),
        ])
    func text(seconds: Int, expected: String) { #expect(HumanDuration.text(seconds: seconds) == expected) }
}
