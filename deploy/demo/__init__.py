"""The whole of Écluse on one machine: two providers, two legacy applications, the gateway."""
