// The scenario of a text file, played by ns-3: point-to-point devices and source routes, no IP stack.
//
// Every packet carries a tag with its flow, its hop and when it was sent; a device that receives it
// hands it to the next link of the flow's path. A DropTail queue of 32 packets and the packet in
// transmission make 33 places. The point-to-point header (2 bytes) counts toward the packet's size.
//
// usage: replay SCENARIO SECONDS WARMUP SEED RESULT
// scenario: "nodes links flows", a line a link (source target bit/s s packets), a line a flow
//           (packets/s hops link...); links 2i and 2i+1 are the two directions of an edge.
// result: a line a flow: packets sent, received, sum of delays; hops and processor time go to stdout.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

#include "ns3/core-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"

using namespace ns3;

namespace {

constexpr uint32_t kHeaderBytes = 2;
constexpr uint16_t kProtocol = 0x0800;

struct Flow {
    double rate = 0;
    std::vector<uint32_t> path;
    uint64_t sent = 0;
    uint64_t received = 0;
    double delay = 0;
};

class RouteTag : public Tag {
  public:
    static TypeId GetTypeId() {
        static TypeId id = TypeId("nettwin::RouteTag").SetParent<Tag>().AddConstructor<RouteTag>();
        return id;
    }
    TypeId GetInstanceTypeId() const override { return GetTypeId(); }
    uint32_t GetSerializedSize() const override { return 13; }
    void Serialize(TagBuffer out) const override {
        out.WriteU32(flow);
        out.WriteU8(hop);
        out.WriteU64(sent_ns);
    }
    void Deserialize(TagBuffer in) override {
        flow = in.ReadU32();
        hop = in.ReadU8();
        sent_ns = in.ReadU64();
    }
    void Print(std::ostream& out) const override { out << flow << '/' << int(hop); }

    uint32_t flow = 0;
    uint8_t hop = 0;
    uint64_t sent_ns = 0;
};

std::vector<Flow> flows;
std::vector<Ptr<NetDevice>> devices;
Ptr<ExponentialRandomVariable> gaps;
Ptr<UniformRandomVariable> coin;
uint64_t warmup_ns = 0;
uint64_t hops = 0;

void Forward(Ptr<Packet> packet, uint32_t link) {
    devices[link]->Send(packet, devices[link]->GetBroadcast(), kProtocol);
}

void Emit(uint32_t index) {
    Flow& flow = flows[index];
    const uint32_t bytes = coin->GetValue() < 0.5 ? 300 : 1700;
    Ptr<Packet> packet = Create<Packet>(bytes - kHeaderBytes);
    RouteTag tag;
    tag.flow = index;
    tag.sent_ns = Simulator::Now().GetNanoSeconds();
    packet->AddPacketTag(tag);
    if (tag.sent_ns >= warmup_ns) {
        ++flow.sent;
    }
    Forward(packet, flow.path[0]);
    Simulator::Schedule(Seconds(gaps->GetValue(1.0 / flow.rate, 0)), &Emit, index);
}

bool Receive(Ptr<NetDevice>, Ptr<const Packet> received, uint16_t, const Address&) {
    Ptr<Packet> packet = received->Copy();
    RouteTag tag;
    packet->RemovePacketTag(tag);
    ++hops;
    Flow& flow = flows[tag.flow];
    if (++tag.hop < flow.path.size()) {
        packet->AddPacketTag(tag);
        Forward(packet, flow.path[tag.hop]);
    } else if (tag.sent_ns >= warmup_ns) {
        ++flow.received;
        flow.delay += (Simulator::Now().GetNanoSeconds() - tag.sent_ns) * 1e-9;
    }
    return true;
}

}  // namespace

int main(int count, char** words) {
    if (count != 6) {
        std::fprintf(stderr, "usage: replay SCENARIO SECONDS WARMUP SEED RESULT\n");
        return 2;
    }
    const double seconds = std::atof(words[2]);
    warmup_ns = uint64_t(std::atof(words[3]) * 1e9);
    RngSeedManager::SetSeed(std::atoi(words[4]));
    gaps = CreateObject<ExponentialRandomVariable>();
    coin = CreateObject<UniformRandomVariable>();

    std::ifstream in(words[1]);
    uint32_t node_count, link_count, flow_count;
    in >> node_count >> link_count >> flow_count;
    NodeContainer nodes;
    nodes.Create(node_count);
    devices.resize(link_count);
    for (uint32_t i = 0; i < link_count; ++i) {
        uint32_t source, target, packets;
        double rate, delay;
        in >> source >> target >> rate >> delay >> packets;
        if (i % 2) {
            continue;  // the other direction of the edge before
        }
        PointToPointHelper edge;
        edge.SetDeviceAttribute("DataRate", DataRateValue(DataRate(uint64_t(rate))));
        edge.SetDeviceAttribute("Mtu", UintegerValue(3000));
        edge.SetChannelAttribute("Delay", TimeValue(Seconds(delay)));
        edge.SetQueue("ns3::DropTailQueue", "MaxSize", StringValue(std::to_string(packets) + "p"));
        NetDeviceContainer ends = edge.Install(nodes.Get(source), nodes.Get(target));
        for (uint32_t k = 0; k < 2; ++k) {
            devices[i + k] = ends.Get(k);
            ends.Get(k)->SetReceiveCallback(MakeCallback(&Receive));
        }
    }
    flows.resize(flow_count);
    for (uint32_t i = 0; i < flow_count; ++i) {
        uint32_t length;
        in >> flows[i].rate >> length;
        flows[i].path.resize(length);
        for (uint32_t& link : flows[i].path) {
            in >> link;
        }
        Simulator::Schedule(Seconds(gaps->GetValue(1.0 / flows[i].rate, 0)), &Emit, i);
    }
    const std::clock_t begin = std::clock();
    Simulator::Stop(Seconds(seconds));
    Simulator::Run();
    std::printf("%llu %.6f\n", (unsigned long long)hops,
                double(std::clock() - begin) / CLOCKS_PER_SEC);
    std::ofstream out(words[5]);
    out.precision(17);
    for (const Flow& flow : flows) {
        out << flow.sent << ' ' << flow.received << ' ' << flow.delay << '\n';
    }
    Simulator::Destroy();
    return 0;
}
