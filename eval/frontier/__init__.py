"""Curves of cost against quality: any number of arms, every policy at every price."""
