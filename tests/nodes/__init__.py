"""`make nodes`: three gateways, HAProxy and three servers with their Sentinels, each on a machine of its own (a network
namespace), while people work and parts of it are lost."""
