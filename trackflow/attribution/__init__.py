"""Attribution: which touch points get which share of a conversion, exactly and with reasons."""
