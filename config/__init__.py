"""How an installation is wired; knows no contact-centre noun."""
