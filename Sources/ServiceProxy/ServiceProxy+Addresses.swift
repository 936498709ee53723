import ControlPlane
import Logging
import NFTablesProxy
import NetTypes

extension ServiceProxy {
    /// Makes the addresses of Services this machine's, where they are not loopback addresses, which are so already.
    func ownAddresses() -> [LocalRoute] {
        let networks = configuration.networks
        var routes: [LocalRoute] = []
        var problems: [String] = []
        for block in networks.serviceRanges + [networks.loadBalancerRange].compactMap({ $0 })
        where !block.isLoopback {
            do throws(LocalRoute.Failure) {
                routes.append(try LocalRoute(block, besides: configuration.nodeAddress))
            } catch {
                problems.append(error.description)
            }
        }
        report("addresses", problems)
        return routes
    }

    /// Has nobody answer pings of cluster IPs that are this machine's, as the nftables plane does by itself.
    func silencePings() -> PingSilence? {
        do throws(PingSilence.Failure) {
            return try PingSilence(configuration.networks.serviceRanges.filter { !$0.isLoopback })
        } catch {
            logger.notice("the kernel answers pings of cluster IPs", metadata: ["reason": "\(error)"])
            return nil
        }
    }
}
