"""Exports of payments, accounts, tills, stays and tickets, where not every row is a sale.

Column names come from the products' public documentation and from files people publish.
"""

from __future__ import annotations

from revoir.reading.declared import Export, names

_UNPAID = ("pending", "en attente", "denied", "unclaimed", "held", "processing")
_BOOKING = {
    "book_number": "orders.order_id", "price": "orders.amount", "status": "orders.status",
    "booked_by": "customers.name", "booker_country": "customers.country",
    "unit_type": "order_lines.product",
}  # fmt: skip
_OF_STAYS = (
    "guest_name", "commission", "commission_amount", "remarks", "address", "phone_number",
    "payment_status", "cancellation_date",
)  # fmt: skip
_HELLOASSO = {
    "email_payeur": "customers.email", "nom_payeur": "customers.last_name",
    "prenom_payeur": "customers.first_name", "raison_sociale": "customers.company",
    "adresse_payeur": "customers.street", "code_postal_payeur": "customers.postcode",
    "ville_payeur": "customers.city", "pays_payeur": "customers.country",
}  # fmt: skip

LEDGERS = (
    Export(
        "PayPal", "orders", names("date time name type status currency gross fee net"),
        {
            "date": "orders.ordered_at", "gross": "orders.amount", "status": "orders.status",
            "currency": "orders.currency", "name": "customers.name",
            "from_email_address": "customers.email", "transaction_id": "orders.order_id",
            "item_title": "order_lines.product", "country": "customers.country",
            "contact_phone_number": "customers.phone", "town_city": "customers.city",
            "zip_postal_code": "customers.postcode", "address_line_1": "customers.street",
        },
        ignored=(
            "fee", "net", "shipping_address", "address_status", "address_line_2", "balance",
            "subject", "note", "time_zone", "timezone", "reference_txn_id", "receipt_id",
            "country_code",
        ),
        kind="type", payments=True, of_refunds={"to_email_address": "customers.email"},
        unpaid=_UNPAID,
    ),
    Export(
        "PayPal", "orders", names("date heure nom type devise avant_commission net"),
        {
            "date": "orders.ordered_at", "avant_commission": "orders.amount",
            "etat": "orders.status",
            "devise": "orders.currency", "nom": "customers.name",
            "de_l_adresse_email": "customers.email", "numero_de_transaction": "orders.order_id",
            "titre_de_l_objet": "order_lines.product", "pays": "customers.country",
            "numero_de_telephone_du_contact": "customers.phone", "ville": "customers.city",
            "code_postal": "customers.postcode", "adresse_1": "customers.street",
        },
        ignored=(
            "commission", "net", "etat_de_l_adresse", "adresse_de_livraison", "solde", "objet",
            "remarque", "fuseau_horaire", "numero_de_la_transaction", "numero_de_recu",
            "source_de_paiement", "code_du_pays", "impact_sur_le_solde",
        ),
        kind="type", payments=True, of_refunds={"a_l_adresse_email": "customers.email"},
        unpaid=_UNPAID,
    ),
    Export(
        "Stripe", "orders", names("id type source amount fee net currency"),
        {
            "id": "orders.order_id", "created_utc": "orders.ordered_at",
            "created": "orders.ordered_at", "amount": "orders.amount",
            "currency": "orders.currency", "customer_id": "orders.customer_id",
            "customer_email": "customers.email", "customer_name": "customers.name",
        },
        any_of=names("created_utc created"),
        ignored=(
            "source", "fee", "net", "description", "available_on", "customer_facing_", "transfer",
        ),
        formats={"created_utc": "utc", "created": "utc", "amount": "point"},
        kind="type", payments=True,
    ),
    Export(
        "Stripe", "orders", names("balance_transaction_id gross fee net reporting_category"),
        {
            "balance_transaction_id": "orders.order_id", "created_utc": "orders.ordered_at",
            "created": "orders.ordered_at", "gross": "orders.amount",
            "currency": "orders.currency", "customer_id": "orders.customer_id",
            "customer_email": "customers.email", "customer_name": "customers.name",
        },
        any_of=names("created_utc created"),
        ignored=(
            "fee", "net", "description", "available_on", "customer_facing_", "payout",
            "effective_at", "automatic_payout", "source_id", "charge_id", "payment_intent_id",
        ),
        formats={"created_utc": "utc", "gross": "point"},
        kind="reporting_category", payments=True,
    ),
    Export(
        "Stripe", "subscriptions",
        names("id customer_id plan interval amount status current_period_end_utc"),
        {
            "id": "subscriptions.subscription_id", "customer_id": "subscriptions.customer_id",
            "customer_email": "customers.email", "customer_name": "customers.name",
            "plan": "subscriptions.plan", "amount": "subscriptions.monthly_amount",
            "currency": "subscriptions.currency", "start_date_utc": "subscriptions.started_at",
            "start_utc": "subscriptions.started_at", "created_utc": "subscriptions.started_at",
            "ended_at_utc": "subscriptions.ended_at",
            "cancellation_reason": "subscriptions.reason",
        },
        ignored=(
            "customer_description", "current_period_", "trial_", "application_fee", "tax_percent",
            "canceled_at_utc", "invoice_", "collection_",
        ),
        formats={
            "start_date_utc": "utc", "start_utc": "utc", "created_utc": "utc",
            "ended_at_utc": "utc", "amount": "point",
        },
        kind="status", times="quantity",
    ),
    Export(
        "Lightspeed", "orders", names("date receipt_number line_type total status"),
        {
            "date": "orders.ordered_at", "receipt_number": "orders.order_id",
            "customer_code": "orders.customer_id", "customer_name": "customers.name",
            "quantity": "order_lines.quantity",
            "total": "order_lines.amount", "details": "order_lines.product",
            "sku": "order_lines.product_id", "status": "orders.status",
            "register": "orders.store",
        },
        ignored=(
            "note", "subtotal", "sales_tax", "discount", "loyalty", "paid", "account_code_sale",
            "account_code_purchase",
        ),
        told_once="receipt_number", kind="line_type",
    ),
    Export(
        "Odoo", "orders", names("name partner_id date_order"),
        {
            "name": "orders.order_id", "partner_id": "orders.customer_id",
            "date_order": "orders.ordered_at", "state": "orders.status",
            "amount_total": "orders.amount", "currency_id": "orders.currency",
            "order_line_product_id": "order_lines.product",
            "order_line_product_uom_qty": "order_lines.quantity",
            "order_line_price_unit": "order_lines.unit_price",
            "order_line_price_total": "order_lines.amount",
            "order_line_price_subtotal": "order_lines.amount",
        },
        any_of=names(
            "amount_total order_line_price_subtotal order_line_price_total order_line_price_unit"
        ),
        ignored=("amount_untaxed", "amount_tax", "order_line_name", "order_line_tax_id"),
        unpaid=("sent",),
    ),
    Export(
        "Booking.com", "orders", names("book_number booked_by check_in check_out price status"),
        {**_BOOKING, "booked_on": "orders.ordered_at"},
        any_of=names("booked_on"),
        ignored=_OF_STAYS,
    ),
    Export(
        "Booking.com", "orders", names("book_number booked_by check_in check_out price status"),
        {**_BOOKING, "check_in": "orders.ordered_at"},
        ignored=_OF_STAYS,
    ),
    Export(
        "HelloAsso", "orders",
        names("reference_commande reference_paiement montant_total date_du_paiement"),
        {
            **_HELLOASSO, "reference_paiement": "orders.order_id",
            "date_du_paiement": "orders.ordered_at", "montant_total": "orders.amount",
            "statut_du_paiement": "orders.status", "campagne": "order_lines.product",
            "type_de_campagne": "order_lines.category",
        },
        ignored=(
            "verse", "date_du_versement", "montant_du_tarif", "montant_des_options",
            "don_supplementaire", "montant_du_code_promo", "attestation", "carte_d_adherent",
        ),
        unpaid=("attente", "a venir", "à venir", "conteste"),
    ),
    Export(
        "HelloAsso", "orders",
        names("reference_commande date_de_la_commande email_payeur tarif montant_tarif"),
        {
            **_HELLOASSO, "reference_commande": "orders.order_id",
            "date_de_la_commande": "orders.ordered_at", "montant_tarif": "order_lines.amount",
            "statut_de_la_commande": "orders.status", "tarif": "order_lines.product",
            "numero_de_billet": "order_lines.line_id",
        },
        ignored=("billet", "attestation", "carte_d_adherent"),
    ),
    Export(
        "Zendesk", "interactions", names("id requester subject status created_at updated_at"),
        {
            "id": "interactions.interaction_id", "created_at": "interactions.opened_at",
            "solved_at": "interactions.resolved_at", "subject": "interactions.text",
            "status": "interactions.status", "via": "interactions.channel",
            "ticket_type": "interactions.kind", "requester": "customers.name",
            "requester_email": "customers.email", "organization": "customers.company",
        },
        any_of=names("solved_at assignee group via"),
        ignored=(
            "summation_column", "requester_", "submitter", "updated_at", "assigned_at", "due_date",
            "initially_assigned_at", "group_stations", "assignee_stations", "assignee_updated_at",
            "requester_updated_at",
        ),
    ),
)  # fmt: skip
"""Their headers, the most particular first."""
